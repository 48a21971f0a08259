import { MultigradError } from '@multigrad/core/strategy';
import { type ClassColumn, type NumberColumn, sizeOf } from './column.ts';
import type { Part } from './split-positions.ts';

/** Targets by the name of their task. */
export type TargetColumns = Readonly<Record<string, NumberColumn | ClassColumn>>;

/** The samples of each part. */
export type Positions = Readonly<Record<Part, Int32Array>>;

/** @throws MultigradError `invalid-data` for parts that cannot train or measure a target */
export function assertTargets(targets: TargetColumns, positions: Positions): void {
  for (const part of ['train', 'validation', 'test'] as const) {
    const samples = positions[part];
    if (samples.length === 0) {
      if (part === 'validation') continue;
      throw new MultigradError(
        'invalid-data',
        `Each part of \`dataSets\` should have samples. Found none for \`${part}\`.`,
      );
    }
    for (const [name, column] of Object.entries(targets)) {
      if (presentIn(column, samples) > 0) continue;
      throw new MultigradError(
        'invalid-data',
        `The ${part} samples should have a target of \`${name}\` among them. Found none in ${samples.length}.`,
      );
    }
  }
  for (const [name, column] of Object.entries(targets)) {
    if (column.kind !== 'classes') continue;
    const counts = countsOf(column, positions.train);
    const absent = counts.indexOf(0);
    if (absent < 0) continue;
    const all = column.labels.filter((label) => label === absent).length;
    throw new MultigradError(
      'invalid-data',
      `The training samples should have each class of \`${name}\`. Found none of ${JSON.stringify(column.names[absent])}, which ` +
        `${all} of all samples are: split by \`stratify: '${name}'\`, choose another \`seed\`, or leave the class out.`,
    );
  }
}

/** Number of samples that have a target. */
function presentIn(column: NumberColumn | ClassColumn, samples: Int32Array): number {
  const size = sizeOf(column.shape);
  const has = (sample: number): boolean =>
    column.kind === 'classes'
      ? column.labels[sample]! >= 0
      : !column.values.subarray(sample * size, (sample + 1) * size).every(Number.isNaN);
  return samples.filter(has).length;
}

function countsOf({ labels, names }: ClassColumn, samples: Int32Array): number[] {
  const counts = new Array<number>(names.length).fill(0);
  for (const sample of samples) if (labels[sample]! >= 0) counts[labels[sample]!]! += 1;
  return counts;
}

/** What was found, for a person. */
export function summaryOf(targets: TargetColumns, positions: Positions): string {
  const all = Int32Array.from(Object.values(positions).flatMap((samples) => [...samples]));
  const sizes = Object.entries(positions).map(([part, samples]) => `${samples.length} ${part}`);
  const lines = Object.entries(targets).map(([name, column]) => {
    const missing = all.length - presentIn(column, all);
    const found =
      column.kind === 'classes'
        ? countsOf(column, all)
            .map((count, label) => `${column.names[label]} ${count}`)
            .join(', ')
        : sizeOf(column.shape) === 1
          ? 'a number'
          : `${sizeOf(column.shape)} numbers`;
    return `${name}: ${found}${missing === 0 ? '' : `; ${missing} missing`}`;
  });
  return [`${all.length} samples: ${sizes.join(', ')}`, ...lines].join('\n');
}
