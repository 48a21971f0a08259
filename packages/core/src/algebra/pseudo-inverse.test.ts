import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Gramian } from './gramian.ts';
import { gramianOf } from './gramian-of.ts';
import { pseudoInverse } from './pseudo-inverse.ts';
import { randomState, resumeRandom } from './random.ts';

const relativeError = 2 ** -50;

/** Q diag(λ) Qᵀ with a random orthogonal Q, and its pseudo-inverse Q diag(λ⁺) Qᵀ. */
const spectral = fc
  .record({
    seed: fc.nat(),
    eigenvalues: fc.array(
      fc.oneof(
        fc.constant(0),
        fc.constant(1),
        fc.integer({ min: 10, max: 1000 }).map((x) => x / 100),
      ),
      { minLength: 1, maxLength: 8 },
    ),
  })
  .map(({ seed, eigenvalues }) => {
    const size = eigenvalues.length;
    const random = resumeRandom(randomState(seed));
    const axes = Array.from({ length: 2 }, () =>
      Array.from({ length: size }, () => random.uniform() + 0.1),
    );
    // Q is a product of two reflections I − 2 a aᵀ / aᵀa; its columns are the reflected unit vectors.
    const columns = eigenvalues.map((_, k) =>
      axes.reduce(
        (column, axis) => {
          const along = axis.reduce((sum, a, i) => sum + a * column[i]!, 0);
          const square = axis.reduce((sum, a) => sum + a * a, 0);
          return column.map((value, i) => value - (2 * along * axis[i]!) / square);
        },
        eigenvalues.map((__, i) => (i === k ? 1 : 0)),
      ),
    );
    const compose = (values: readonly number[]): Float64Array =>
      Float64Array.from({ length: size * size }, (_, at) => {
        const [low, high] = [at % size, Math.floor(at / size)].sort((a, b) => a - b);
        return values.reduce((sum, x, k) => sum + columns[k]![low!]! * x * columns[k]![high!]!, 0);
      });
    const gramian: Gramian = { size, values: compose(eigenvalues), relativeError };
    return {
      gramian,
      inverse: compose(eigenvalues.map((x) => (x === 0 ? 0 : 1 / x))),
      rank: eigenvalues.filter((x) => x > 0).length,
    };
  });

const multiply = (a: Float64Array, b: Float64Array): Float64Array => {
  const size = Math.sqrt(a.length);
  return Float64Array.from({ length: a.length }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < size; k += 1) {
      sum += a[Math.floor(at / size) * size + k]! * b[k * size + (at % size)]!;
    }
    return sum;
  });
};

const transposed = (a: Float64Array): Float64Array => {
  const size = Math.sqrt(a.length);
  return a.map((_, at) => a[(at % size) * size + Math.floor(at / size)]!);
};

/** The largest difference, relative to the largest entry. */
const distance = (a: Float64Array, b: Float64Array): number => {
  const most = b.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  const apart = a.reduce((max, x, at) => Math.max(max, Math.abs(x - b[at]!)), 0);
  return apart === 0 ? 0 : apart / most;
};

describe('pseudoInverse', () => {
  it('fulfils the four Penrose conditions at every rank', () => {
    fc.assert(
      fc.property(spectral, ({ gramian, rank }) => {
        const found = pseudoInverse(gramian);
        expect(found.rank).toBe(rank);
        const left = multiply(gramian.values, found.values);
        const right = multiply(found.values, gramian.values);
        expect(distance(multiply(left, gramian.values), gramian.values)).toBeLessThan(1e-12);
        expect(distance(multiply(right, found.values), found.values)).toBeLessThan(1e-12);
        expect(distance(transposed(left), left)).toBeLessThan(1e-12);
        expect(distance(transposed(right), right)).toBeLessThan(1e-12);
      }),
      { numRuns: 300 },
    );
  });

  it('is Q diag(1/λ) Qᵀ over the eigenvalues that are not zero, symmetric to the last bit', () => {
    fc.assert(
      fc.property(spectral, ({ gramian, inverse }) => {
        const { values } = pseudoInverse(gramian);
        expect(distance(values, inverse)).toBeLessThan(1e-12);
        expect(transposed(values)).toEqual(values);
      }),
    );
  });

  it('scales with the inverse factor at 1e-150 … 1e150', () => {
    const exponents = fc.constantFrom(-498, -50, 50, 498);
    fc.assert(
      fc.property(spectral, exponents, ({ gramian }, exponent) => {
        const factor = 2 ** exponent;
        const plain = pseudoInverse(gramian);
        const scaled = pseudoInverse({ ...gramian, values: gramian.values.map((x) => x * factor) });
        expect(scaled.rank).toBe(plain.rank);
        expect(scaled.values).toEqual(plain.values.map((x) => x / factor));
      }),
    );
  });

  it('has rank 2 where the third row is the sum of the others', () => {
    const { values, rank } = pseudoInverse(
      gramianOf([
        [1, 0],
        [0, 1],
        [1, 1],
      ]),
    );
    expect(rank).toBe(2);
    const expected = Float64Array.of(5, -4, 1, -4, 5, 1, 1, 1, 2).map((x) => x / 9);
    expect(distance(values, expected)).toBeLessThan(1e-14);
  });

  it('decides the rank of duplicated rows by the stated error', () => {
    // Float32 sums: entries off by 1e-8 of the norms, an eigenvalue near -1e-8 or 1e-8 instead of 0.
    for (const change of [1e-8, -1e-8]) {
      const values = Float64Array.of(1, 1 + change, 0.5, 1 + change, 1, 0.5, 0.5, 0.5, 1);
      const float32 = pseudoInverse({ size: 3, values, relativeError: 2 ** -22 });
      expect(float32.rank).toBe(2);
      // Weights of the two copies: shared equally, not blown up by 1 / 1e-8.
      expect(distance(float32.values.slice(0, 1), float32.values.slice(1, 2))).toBeLessThan(1e-6);
      expect(Math.abs(float32.values[0]!)).toBeLessThan(1);
      // An exact Gramian with the same entries has a small direction of its own, if its eigenvalue is positive.
      const exact = pseudoInverse({ size: 3, values, relativeError });
      expect(exact.rank).toBe(change < 0 ? 3 : 2);
    }
  });

  it.each([0, 2 ** -52, 2 ** -22])('cuts at K · max(%d, 2⁻⁵²) · λ_max', (stated) => {
    // Diagonal: the eigenvalues are the entries, to the last bit.
    const cutoff = 2 * Math.max(stated, 2 ** -52) * 5;
    const rankOf = (small: number): number =>
      pseudoInverse({ size: 2, values: Float64Array.of(5, 0, 0, small), relativeError: stated })
        .rank;
    expect(rankOf(cutoff)).toBe(1);
    expect(rankOf(cutoff * 1.001)).toBe(2);
  });

  it('counts independent rows among duplicates', () => {
    const entry = fc.integer({ min: -9, max: 9 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat(4), { maxLength: 4 }),
        fc.array(entry, { minLength: 25, maxLength: 25 }),
        (count, copies, noise) => {
          // Rows with a dominant diagonal are independent.
          const rows = Array.from({ length: count }, (_, i) =>
            Array.from({ length: 5 }, (__, j) => noise[i * 5 + j]! + (i === j ? 60 : 0)),
          );
          const all = [...rows, ...copies.map((copy) => rows[copy % count]!)];
          expect(pseudoInverse(gramianOf(all)).rank).toBe(count);
        },
      ),
    );
  });

  it('is zero for zero gradients', () => {
    expect(pseudoInverse(gramianOf([[0], [0]]))).toEqual({ values: new Float64Array(4), rank: 0 });
    const one = pseudoInverse(gramianOf([[4, 0]]));
    expect(one).toEqual({ values: Float64Array.of(1 / 16), rank: 1 });
  });

  it('names what it cannot invert', () => {
    expect(() =>
      pseudoInverse({ size: 1, values: Float64Array.of(1e-310), relativeError }),
    ).toThrow(
      expect.objectContaining({
        code: 'non-finite',
        message: expect.stringContaining('Found Infinity in row 0, column 0') as string,
      }),
    );
    expect(() => pseudoInverse({ size: 2, values: Float64Array.of(1), relativeError })).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  });
});
