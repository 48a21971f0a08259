import { MultigradError } from '@multigrad/core/strategy';
import { type NumberColumn, sizeOf } from './column.ts';

/**
 * Mean and standard deviation of the training samples, for each entry of the last axis: each column of a table, each channel
 * of a picture. `standardized = (value − mean)/deviation`.
 */
export interface Scale {
  readonly mean: readonly number[];
  /** 1 where all training samples have the same value. */
  readonly deviation: readonly number[];
}

/**
 * Measures a scale on some samples; missing values are left out.
 *
 * @throws MultigradError `invalid-data` for an entry that none of the samples has
 */
export function scaleOf(name: string, column: NumberColumn, samples: Int32Array): Scale {
  const size = sizeOf(column.shape);
  const width = column.shape.at(-1)!;
  const [counts, sums] = [new Float64Array(width), new Float64Array(width)];
  const forEach = (take: (value: number, entry: number) => void): void => {
    for (const sample of samples) {
      for (let i = 0; i < size; i++) {
        const value = column.unit * column.values[sample * size + i]!;
        if (!Number.isNaN(value)) take(value, i % width);
      }
    }
  };
  forEach((value, entry) => {
    counts[entry]! += 1;
    sums[entry]! += value;
  });
  const without = counts.indexOf(0);
  if (without >= 0) {
    throw new MultigradError(
      'invalid-data',
      `\`${name}\`: expected training samples with a value of entry ${without} (such as ${column.where(samples[0] ?? 0, without)}). ` +
        'Found none.',
    );
  }
  const mean = sums.map((sum, entry) => sum / counts[entry]!);
  const squares = new Float64Array(width);
  forEach((value, entry) => (squares[entry]! += (value - mean[entry]!) ** 2));
  const deviation = Array.from(squares, (square, entry) => Math.sqrt(square / counts[entry]!));
  // Rounding leaves a tiny deviation where all values are the same.
  const isConstant = (entry: number): boolean =>
    deviation[entry]! <= 1e-12 * Math.abs(mean[entry]!);
  return {
    mean: Array.from(mean),
    deviation: deviation.map((value, entry) => (isConstant(entry) ? 1 : value)),
  };
}

/** The column with `change` applied to each value that is there, and `missing` in the place of others. */
function mapValues(
  column: NumberColumn,
  change: (value: number, entry: number) => number,
  missing: (entry: number) => number,
): NumberColumn {
  const width = column.shape.at(-1)!;
  const values = new Float32Array(column.values.length);
  for (let i = 0; i < values.length; i++) {
    const value = column.unit * column.values[i]!;
    values[i] = Number.isNaN(value) ? missing(i % width) : change(value, i % width);
  }
  return { ...column, values, unit: 1 };
}

/** The column in units of its scale; missing values stay missing. */
export function standardized(column: NumberColumn, { mean, deviation }: Scale): NumberColumn {
  return mapValues(
    column,
    (value, entry) => (value - mean[entry]!) / deviation[entry]!,
    () => NaN,
  );
}

/** The column with the mean in the place of missing values. */
export function filled(column: NumberColumn, { mean }: Scale): NumberColumn {
  return mapValues(
    column,
    (value) => value,
    (entry) => mean[entry]!,
  );
}
