import { describe, expect, it } from 'vitest';
import { gramianOf } from './gramian-of.ts';
import { balancedWeights } from './balanced-weights.ts';
import { minNormPoint } from './min-norm.ts';
import { randomState, resumeRandom } from './random.ts';
import { symmetricEigen } from './symmetric-eigen.ts';
import { workNumbers } from './work-array.ts';

describe('WorkArray', () => {
  it('keeps an array of each length up to a matrix of 64 objectives', () => {
    const numbers = workNumbers();
    expect(numbers.of(9)).toBe(numbers.of(9));
    expect(numbers.of(9)).not.toBe(numbers.of(4));
    expect(numbers.of(64 * 64)).toBe(numbers.of(64 * 64));
    expect(numbers.of(64 * 64 + 1)).not.toBe(numbers.of(64 * 64 + 1));
  });

  it('clears what is asked for as zeros', () => {
    const numbers = workNumbers();
    numbers.of(3).fill(7);
    expect(numbers.of(3)).toEqual(Float64Array.of(7, 7, 7));
    expect(numbers.zeros(3)).toEqual(new Float64Array(3));
  });
});

describe.each([
  ['minNormPoint', (rows: number[][]) => minNormPoint(gramianOf(rows)).weights],
  ['balancedWeights', (rows: number[][]) => balancedWeights(gramianOf(rows)).weights],
  [
    'symmetricEigen',
    (rows: number[][]) => symmetricEigen(gramianOf(rows).values, rows.length).eigenvectors,
  ],
])('%s', (_, solve) => {
  it('answers alike whatever was solved before, and its answers stay as they are', () => {
    const random = resumeRandom(randomState(1, 'work arrays'));
    const jacobian = (size: number): number[][] =>
      Array.from({ length: size }, () => Array.from({ length: size + 3 }, () => random.normal()));
    for (const size of [2, 3, 5, 12]) {
      const first = jacobian(size);
      const answer = solve(first);
      const kept = answer.slice();
      solve(jacobian(size));
      solve(jacobian(size + 1));
      expect(answer).toEqual(kept);
      expect(solve(first)).toEqual(kept);
    }
  });
});
