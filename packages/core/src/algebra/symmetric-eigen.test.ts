import fc from 'fast-check';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../base/errors.ts';
import { gramianOf } from './gramian-of.ts';
import { randomState, resumeRandom } from './random.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

interface Symmetric {
  readonly size: number;
  readonly values: Float64Array;
}

const mirrored = (size: number, entry: (i: number, j: number) => number): Symmetric => {
  const values = new Float64Array(size * size);
  for (let i = 0; i < size; i += 1) {
    for (let j = i; j < size; j += 1) {
      values[i * size + j] = entry(i, j);
      values[j * size + i] = values[i * size + j]!;
    }
  }
  return { size, values };
};

/** Definite or not, with zeros, repeated eigenvalues and dependent rows among them; both sides of the switch at 32. */
const matrices: fc.Arbitrary<Symmetric> = fc
  .record({
    size: fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 1, max: 9 }) },
      fc.integer({ min: 30, max: 36 }),
    ),
    seed: fc.nat(),
    kind: fc.constantFrom('any', 'gramian', 'integers', 'graded', 'diagonal'),
    columns: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ size, seed, kind, columns }) => {
    const random = resumeRandom(randomState(seed));
    const draw = (): number => 2 * random.uniform() - 1;
    switch (kind) {
      case 'gramian':
        return gramianOf(
          Array.from({ length: size }, () => Array.from({ length: columns }, () => draw())),
        );
      case 'integers':
        return mirrored(size, () => Math.round(1.4 * draw()));
      case 'graded': {
        const exponents = Array.from({ length: size }, () => Math.round(8 * draw()));
        return mirrored(size, (i, j) => draw() * 10 ** (exponents[i]! + exponents[j]!));
      }
      case 'diagonal':
        return mirrored(size, (i, j) => (i === j ? Math.round(2 * draw()) : 0));
      default:
        return mirrored(size, draw);
    }
  });

const largest = (values: Float64Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** What the rounding of some rounds of rotations may add up to: it grows with the size. */
const roundingOf = (size: number): number => 16 * Math.max(size, 12) * 2 ** -53;

/** The largest entry of |V diag(λ) Vᵀ − A| and of |Vᵀ V − I|. */
function defects({ size, values }: Symmetric): { reconstruction: number; orthogonality: number } {
  const { eigenvalues, eigenvectors: v } = symmetricEigen(values, size);
  let [reconstruction, orthogonality] = [0, 0];
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j < size; j += 1) {
      let [entry, product] = [0, 0];
      for (let k = 0; k < size; k += 1) {
        entry += v[i * size + k]! * eigenvalues[k]! * v[j * size + k]!;
        product += v[k * size + i]! * v[k * size + j]!;
      }
      reconstruction = Math.max(reconstruction, Math.abs(entry - values[i * size + j]!));
      orthogonality = Math.max(orthogonality, Math.abs(product - (i === j ? 1 : 0)));
    }
  }
  return { reconstruction, orthogonality };
}

describe('symmetricEigen', () => {
  it('is a decomposition: A = V diag(λ) Vᵀ with an orthogonal V and descending λ', () => {
    fc.assert(
      fc.property(matrices, (matrix) => {
        const { eigenvalues, eigenvectors } = symmetricEigen(matrix.values, matrix.size);
        expect(eigenvectors).toHaveLength(matrix.size ** 2);
        expect([...eigenvalues]).toEqual([...eigenvalues].sort((a, b) => b - a));
        const { reconstruction, orthogonality } = defects(matrix);
        const tolerance = roundingOf(matrix.size);
        expect(orthogonality).toBeLessThan(tolerance);
        expect(reconstruction).toBeLessThanOrEqual(tolerance * largest(eigenvalues));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the trace and the sum of squares', () => {
    fc.assert(
      fc.property(matrices, ({ size, values }) => {
        const { eigenvalues } = symmetricEigen(values, size);
        const most = largest(eigenvalues);
        const trace = values.reduce((sum, x, at) => sum + (at % (size + 1) === 0 ? x : 0), 0);
        const sum = eigenvalues.reduce((a, b) => a + b, 0);
        expect(Math.abs(sum - trace)).toBeLessThanOrEqual(1e-13 * most);
        const squares = (list: Float64Array): number => list.reduce((a, x) => a + x * x, 0);
        expect(Math.abs(squares(eigenvalues) - squares(values))).toBeLessThanOrEqual(
          1e-13 * squares(values),
        );
      }),
    );
  });

  it('has the eigenvalues that ml-matrix finds', () => {
    fc.assert(
      fc.property(matrices, ({ size, values }) => {
        const { eigenvalues } = symmetricEigen(values, size);
        const oracle = new EigenvalueDecomposition(Matrix.from1DArray(size, size, [...values]), {
          assumeSymmetric: true,
        }).realEigenvalues.sort((a, b) => b - a);
        eigenvalues.forEach((eigenvalue, k) =>
          expect(Math.abs(eigenvalue - oracle[k]!)).toBeLessThanOrEqual(
            roundingOf(size) * largest(eigenvalues),
          ),
        );
      }),
    );
  });

  it('decomposes a 1 × 1, a zero, an identity and a duplicated matrix', () => {
    expect(symmetricEigen(Float64Array.of(-3), 1)).toEqual({
      eigenvalues: Float64Array.of(-3),
      eigenvectors: Float64Array.of(1),
    });
    for (const size of [2, 5, 40]) {
      const zero = symmetricEigen(new Float64Array(size * size), size);
      expect(zero.eigenvalues).toEqual(new Float64Array(size));
      const identity = mirrored(size, (i, j) => (i === j ? 1 : 0));
      expect(symmetricEigen(identity.values, size)).toEqual({
        eigenvalues: new Float64Array(size).fill(1),
        eigenvectors: identity.values,
      });
      const ones = mirrored(size, () => 1);
      const { eigenvalues } = symmetricEigen(ones.values, size);
      eigenvalues.forEach((value, k) => expect(value).toBeCloseTo(k === 0 ? size : 0, 13));
    }
  });

  it('has closed-form eigenvalues where there are some', () => {
    const two = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
    expect(two.eigenvalues[0]).toBeCloseTo(3, 14);
    expect(two.eigenvalues[1]).toBeCloseTo(1, 14);
    expect(two.eigenvectors[0]! * two.eigenvectors[2]!).toBeCloseTo(0.5, 14);
    expect(two.eigenvectors[1]! * two.eigenvectors[3]!).toBeCloseTo(-0.5, 14);
    // The second difference matrix: λ_k = 2 + 2 cos(k π / (n + 1)).
    for (const size of [3, 20, 60]) {
      const { values } = mirrored(size, (i, j) => (i === j ? 2 : i + 1 === j ? -1 : 0));
      symmetricEigen(values, size).eigenvalues.forEach((eigenvalue, k) =>
        expect(eigenvalue).toBeCloseTo(2 + 2 * Math.cos(((k + 1) * Math.PI) / (size + 1)), 13),
      );
    }
  });

  it('keeps the digits of small eigenvalues of a matrix of unequal rows', () => {
    // diag(d) (I + 11ᵀ / 4) diag(d): by interlacing and the determinant, λ differ from d² by known factors alone.
    const lengths = [1, 1e-6, 1e-12];
    const { values } = mirrored(3, (i, j) => lengths[i]! * lengths[j]! * (i === j ? 1.25 : 0.25));
    const { eigenvalues } = symmetricEigen(values, 3);
    // Schur complements: 5/4, then 5/4 − 1/20 = 6/5, then det(7/4) / (5/4 · 6/5) = 7/6.
    const expected = [5 / 4, (6 / 5) * 1e-12, (7 / 6) * 1e-24];
    eigenvalues.forEach((value, k) => expect(value / expected[k]!).toBeCloseTo(1, 11));
  });

  it('does not change when the matrix is scaled by 1e-150 … 1e150', () => {
    const exponents = fc.constantFrom(-498, -50, 50, 498);
    fc.assert(
      fc.property(
        matrices.filter(({ values }) => largest(values) <= 100),
        exponents,
        ({ size, values }, exponent) => {
          const plain = symmetricEigen(values, size);
          const scaled = symmetricEigen(
            values.map((value) => value * 2 ** exponent),
            size,
          );
          // By a power of two nothing rounds.
          expect(scaled.eigenvectors).toEqual(plain.eigenvectors);
          expect(scaled.eigenvalues).toEqual(plain.eigenvalues.map((x) => x * 2 ** exponent));
        },
      ),
    );
  });

  it('decomposes Gramians of 200 rows of any rank', () => {
    const random = resumeRandom(randomState(3));
    for (const columns of [20, 300]) {
      const rows = Array.from({ length: 200 }, () =>
        Array.from({ length: columns }, () => random.uniform() - 0.5),
      );
      const gramian = gramianOf(rows);
      const { eigenvalues } = symmetricEigen(gramian.values, 200);
      const { reconstruction, orthogonality } = defects(gramian);
      expect(orthogonality).toBeLessThan(1e-13);
      expect(reconstruction).toBeLessThan(1e-14 * eigenvalues[0]!);
      expect(eigenvalues.filter((value) => value > 1e-12 * eigenvalues[0]!)).toHaveLength(
        Math.min(columns, 200),
      );
    }
  });

  it('leaves its argument as it is', () => {
    const values = Float64Array.of(2, 1, 1, 2);
    symmetricEigen(values, 2);
    expect(values).toEqual(Float64Array.of(2, 1, 1, 2));
  });

  it.each<[string, number[], number, ErrorCode, string]>([
    ['too few entries', [1, 2, 2], 2, 'invalid-argument', 'Found size 2 and 3 entries.'],
    ['no row', [], 0, 'invalid-argument', 'Found size 0 and 0 entries.'],
    ['a broken size', [1, 2], Math.SQRT2, 'invalid-argument', 'and 2 entries.'],
    ['asymmetry', [1, 2, 3, 1], 2, 'invalid-argument', '2 in row 0, column 1 and 3 in row 1'],
    ['NaN', [1, 2, 2, NaN], 2, 'non-finite', 'Found NaN in row 1, column 1.'],
    ['infinity', [1, -Infinity, 2, 1], 2, 'non-finite', 'Found -Infinity in row 0, column 1.'],
    ['an overflow', [1.5e308, 1.5e308, 1.5e308, 1.5e308], 2, 'non-finite', 'Found Infinity'],
  ])('names %s', (_, values, size, code, message) => {
    expect(() => symmetricEigen(Float64Array.from(values), size)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) as string }),
    );
  });
});
