import { describe, expect, it } from 'vitest';
import {
  appendRow,
  appendRows,
  isRemovalCheaper,
  removeRow,
  solveBackward,
  solveFactored,
  solveForward,
} from './cholesky.ts';
import { gramianOf } from './gramian-of.ts';
import { randomState, resumeRandom } from './random.ts';

/** A definite matrix of a size, and its factor in an order of its rows. */
function factored(size: number, seed: number) {
  const random = resumeRandom(randomState(seed, 'factors'));
  const rows = Array.from({ length: size }, () =>
    Array.from({ length: size + 3 }, () => random.normal()),
  );
  const { values: matrix } = gramianOf(rows);
  const entered = Int32Array.from(random.permutation(size));
  const factor = new Float64Array(size * size);
  expect(appendRows(matrix, 0.5, factor, entered, 0, size)).toBe(true);
  return { matrix, entered, factor, random };
}

/** The entries of a factor that are in use. */
const triangle = (factor: Float64Array, size: number, count: number): number[] =>
  Array.from({ length: count }, (_, k) => [...factor.subarray(k * size, k * size + k + 1)]).flat();

describe('Cholesky factors that grow and shrink', () => {
  it('grow by single rows and by many alike', () => {
    for (const size of [1, 2, 5, 8]) {
      const { matrix, entered, factor } = factored(size, size);
      const single = new Float64Array(size * size);
      for (let k = 0; k < size; k += 1) appendRow(matrix, 0.5, single, entered, k);
      const found = triangle(factor, size, size);
      triangle(single, size, size).forEach((value, at) => expect(found[at]).toBeCloseTo(value, 13));
    }
  });

  it('shrink to the factor of the rows that stay', () => {
    for (let size = 2; size <= 9; size += 1) {
      for (let place = 0; place < size; place += 1) {
        const { matrix, entered, factor } = factored(size, 10 * size + place);
        removeRow(factor, size, place, size, new Float64Array(2 * size));
        const stayed = Int32Array.from([
          ...[...entered].filter((_, k) => k !== place),
          entered[place]!,
        ]);
        const anew = new Float64Array(size * size);
        appendRows(matrix, 0.5, anew, stayed, 0, size - 1);
        const found = triangle(factor, size, size - 1);
        triangle(anew, size, size - 1).forEach((value, at) =>
          expect(found[at]).toBeCloseTo(value, 12),
        );
      }
    }
  });

  it('solve, from the start or from rows that are known', () => {
    for (const size of [1, 2, 3, 6, 7]) {
      const { matrix, entered, factor, random } = factored(size, 100 + size);
      const vector = Float64Array.from({ length: size }, () => random.normal());
      const target = new Float64Array(size);
      solveFactored(factor, entered, size, vector, 0, target);
      for (let i = 0; i < size; i += 1) {
        let sum = 0.5 * target[i]!;
        for (let j = 0; j < size; j += 1) sum += matrix[i * size + j]! * target[j]!;
        expect(sum).toBeCloseTo(vector[i]!, 11);
      }
      const halves = new Float64Array(2 * size);
      const again = new Float64Array(size);
      const known = Math.floor(size / 2);
      solveForward(factor, entered, 0, known, vector, 0, halves);
      solveForward(factor, entered, known, size, vector, 0, halves);
      solveBackward(factor, entered, size, halves, again);
      expect([...again]).toEqual([...target]);
    }
  });

  it('are refactored where that is less', () => {
    expect(isRemovalCheaper([0], 8)).toBe(false);
    expect(isRemovalCheaper([3], 200)).toBe(true);
    expect(isRemovalCheaper([100, 120, 140], 200)).toBe(true);
    expect(
      isRemovalCheaper(
        Array.from({ length: 100 }, (_, k) => k),
        200,
      ),
    ).toBe(false);
  });
});
