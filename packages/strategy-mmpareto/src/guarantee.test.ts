import { type Gramian, gramianOf, groupGradients } from '@multigrad/core/strategy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mmpareto } from './index.ts';

// The guarantee of `rescale: 'group'`, on gradients of every shape and scale, with the update formed in the precision
// that the Gramian's error stands for.

interface Precision {
  readonly round: (value: number) => number;
  readonly gramian: (rows: readonly Float64Array[]) => Gramian;
  /** Powers of ten between which whole Jacobians and single rows are scaled. */
  readonly scales: readonly [number, number];
}

const float64: Precision = {
  round: (value) => value,
  gramian: (rows) => gramianOf(rows.map((row) => [...row])),
  scales: [-20, 20],
};

/** Gradients, products and sums in float32, as an engine without float64 has them. */
const float32: Precision = {
  round: Math.fround,
  gramian: float32Gramian,
  scales: [-15, 15],
};

function float32Gramian(rows: readonly Float64Array[]): Gramian {
  const size = rows.length;
  const columns = rows[0]!.length;
  // Rows are scaled before the products, so that none overflows or vanishes.
  const magnitudes = rows.map(
    (row) => row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1,
  );
  const scaled = rows.map((row, k) => row.map((value) => Math.fround(value / magnitudes[k]!)));
  const values = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      let product = 0;
      scaled[i]!.forEach((value, at) => {
        product = Math.fround(product + Math.fround(value * scaled[j]![at]!));
      });
      values[i * size + j] = product * magnitudes[i]! * magnitudes[j]!;
    }
  }
  // One rounding for each product and sum, one for each factor; and room for the update's own.
  return { size, values, relativeError: Math.max(2 ** -22, (columns + 3) * 2 ** -24) };
}

const shapes = ['random', 'near-opposite', 'duplicate', 'with-zero', 'low-rank', 'uneven'] as const;

interface Sample {
  readonly size: number;
  readonly columns: number;
  readonly shape: (typeof shapes)[number];
  readonly seed: number;
  readonly scale: number;
}

const samples = fc.record({
  size: fc.integer({ min: 2, max: 6 }),
  columns: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 200 })),
  shape: fc.constantFrom(...shapes),
  seed: fc.integer(),
  scale: fc.double({ min: -1, max: 1, noNaN: true }),
});

/** A solver that leaves a row out because of rounding finds a direction here that ascends on it. */
const doubtful: Sample = {
  size: 5,
  columns: 6,
  shape: 'near-opposite',
  seed: 1527127133,
  scale: 0,
};

/** A repeatable source of uniform numbers in [0, 1) (splitmix32), for the entries of a sample. */
function uniforms(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

function rowsOf(
  { size, columns, shape, seed, scale }: Sample,
  precision: Precision,
): Float64Array[] {
  const uniform = uniforms(seed);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const row = (): Float64Array => Float64Array.from({ length: columns }, normal);
  const mix = (a: Float64Array, factor: number, b: Float64Array, size: number): Float64Array =>
    a.map((value, at) => factor * value + size * b[at]!);
  const rows = Array.from({ length: size }, row);
  const first = rows[0]!;
  for (let k = 1; k < size; k++) {
    if (shape === 'near-opposite') {
      rows[k] = mix(first, uniform() < 0.7 ? -1 : 1, rows[k]!, 10 ** (-16 * uniform()));
    }
    if (shape === 'duplicate' && uniform() < 0.6)
      rows[k] = rows[Math.floor(uniform() * k)]!.slice();
    if (shape === 'with-zero' && uniform() < 0.3) rows[k] = new Float64Array(columns);
    if (shape === 'low-rank') rows[k] = mix(first, normal(), rows[1]!, k === 1 ? 1 : normal());
  }
  const [low, high] = precision.scales;
  const whole = ((low + high) / 2 + ((high - low) / 2) * scale) * (shape === 'uneven' ? 0 : 1);
  return rows.map((values) => {
    const exponent = shape === 'uneven' ? low + (high - low) * uniform() : whole;
    return values.map((value) => precision.round(value * 10 ** exponent));
  });
}

/** Scaled to its largest entry, so that no product below overflows or vanishes. */
function unit(values: Float64Array): { readonly direction: Float64Array; readonly length: number } {
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  if (most === 0) return { direction: values, length: 0 };
  const scaled = values.map((value) => value / most);
  const length = Math.sqrt(scaled.reduce((total, value) => total + value * value, 0));
  return { direction: scaled.map((value) => value / length), length: most * length };
}

function combine(
  rows: readonly Float64Array[],
  weights: Float64Array,
  precision: Precision,
): Float64Array {
  const { round } = precision;
  return rows[0]!.map((_, at) =>
    rows.reduce((total, row, k) => round(total + round(round(weights[k]!) * row[at]!)), 0),
  );
}

function integrate(rows: readonly Float64Array[], precision: Precision, gamma = 1.5) {
  const gramian = precision.gramian(rows);
  const integration = mmpareto({ gamma }).integrate(
    groupGradients({ objectives: rows.map((_, k) => `objective-${k}`), gramian }),
    null,
  );
  return {
    ...integration,
    // Where it is stated smaller, the solver's own rounding counts.
    relativeError: Math.max(gramian.relativeError, rows.length * 2 ** -50),
    update: combine(rows, integration.weights, precision),
  };
}

describe.each([
  ['float64', float64],
  ['float32', float32],
] as const)('in %s', (_, precision) => {
  it('never raises a loss: ⟨u, g_k⟩ >= −√relativeError |u| |g_k|', () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const rows = rowsOf(sample, precision);
        const { weights, update, note, relativeError } = integrate(rows, precision);
        expect(weights.every(Number.isFinite)).toBe(true);
        if (note === 'stationary') {
          expect(weights.every((weight) => weight === 0)).toBe(true);
          return;
        }
        const { direction } = unit(update);
        for (const row of rows) {
          const gradient = unit(row).direction;
          const cosine = gradient.reduce((total, value, at) => total + value * direction[at]!, 0);
          expect(cosine).toBeGreaterThanOrEqual(-Math.sqrt(relativeError));
        }
      }),
      { numRuns: 1500, examples: [[doubtful]] },
    );
  });

  it('is gamma times as long as the sum', () => {
    fc.assert(
      fc.property(samples, fc.double({ min: 1, max: 4, noNaN: true }), (sample, gamma) => {
        const rows = rowsOf(sample, precision);
        const { weights, update, note, relativeError } = integrate(rows, precision, gamma);
        fc.pre(note !== 'stationary' && note !== 'noise');
        const sum = unit(
          combine(
            rows,
            weights.map(() => 1),
            float64,
          ),
        ).length;
        // What cancels in the update and in the sum magnifies the inner products' error.
        const lengths = rows.map((row) => unit(row).length);
        const total = lengths.reduce((a, b) => a + b, 0);
        const part = lengths.reduce(
          (uncancelled, length, k) => uncancelled + weights[k]! * length,
          0,
        );
        const { length } = unit(update);
        const tolerance = 1e-9 + 2 * relativeError * ((total / sum) ** 2 + (part / length) ** 2);
        fc.pre(tolerance < 0.1);
        expect(Math.abs(length / (gamma * sum) - 1)).toBeLessThanOrEqual(tolerance);
      }),
      { numRuns: 700 },
    );
  });
});

describe('the direction in a conflict', () => {
  it('is that of the shortest combination: ⟨h, g_k⟩ >= |h|² for every k', () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const rows = rowsOf({ ...sample, scale: 0 }, float64).filter((row) => unit(row).length > 0);
        fc.pre(rows.length > 1 && sample.shape !== 'uneven');
        const { weights, update, note, diagnostics } = integrate(rows, float64, 1);
        fc.pre(note === 'conflict');
        const shrink = diagnostics!['lambda']! * rows.length;
        const shortest = update.map((value) => value / shrink);
        const squared = shortest.reduce((total, value) => total + value * value, 0);
        const longest = Math.max(...rows.map((row) => unit(row).length));
        expect(weights.reduce((total, weight) => total + weight / shrink, 0)).toBeCloseTo(1, 9);
        for (const row of rows) {
          const product = row.reduce((total, value, at) => total + value * shortest[at]!, 0);
          expect(product - squared).toBeGreaterThanOrEqual(-1e-9 * longest ** 2);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is the closed form for two gradients', () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const rows = rowsOf({ ...sample, size: 2, shape: 'random', scale: 0 }, float64);
        const [first, second] = rows as [Float64Array, Float64Array];
        const { weights, note } = integrate(rows, float64);
        fc.pre(note === 'conflict');
        const difference = unit(first.map((value, at) => value - second[at]!)).length;
        const product = second.reduce(
          (total, value, at) => total + value * (value - first[at]!),
          0,
        );
        const share = weights[0]! / (weights[0]! + weights[1]!);
        expect(share).toBeCloseTo(product / difference ** 2, 9);
      }),
    );
  });

  it('is met with by these samples, and so are the other cases', () => {
    const notes = Array.from({ length: 300 }, (_, seed) => {
      const shape = shapes[seed % shapes.length]!;
      const sample = { size: 2 + (seed % 5), columns: 1 + (seed % 40), shape, seed, scale: 0 };
      return integrate(rowsOf(sample, float64), float64).note ?? 'sum';
    });
    expect(new Set(notes)).toEqual(new Set(['conflict', 'noise', 'stationary', 'sum']));
  });
});

describe("rescale: 'tensor'", () => {
  it('has finite weights for gradients of every shape and scale', () => {
    fc.assert(
      fc.property(samples, fc.nat(), (sample, cut) => {
        const rows = rowsOf(sample, float64);
        const split = cut % (sample.columns + 1);
        const strategy = mmpareto({ rescale: 'tensor' });
        const { weights, tensorWeights, diagnostics } = strategy.integrate(
          groupGradients({
            objectives: rows.map((_, k) => `objective-${k}`),
            gramian: float64.gramian(rows),
            tensorGramians: new Map([
              ['first', float64.gramian(rows.map((row) => row.subarray(0, split)))],
              ['second', float64.gramian(rows.map((row) => row.subarray(split)))],
            ]),
          }),
          null,
        );
        expect([...weights].every(Number.isFinite)).toBe(true);
        for (const own of tensorWeights?.values() ?? []) {
          expect([...own].every(Number.isFinite)).toBe(true);
        }
        expect(diagnostics?.['lambda'] ?? 1).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });
});
