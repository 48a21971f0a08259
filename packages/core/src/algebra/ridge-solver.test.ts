import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosineMatrix } from './cosine-matrix.ts';
import { gramianOf } from './gramian-of.ts';
import { randomState, resumeRandom } from './random.ts';
import { ridgeSearch, solveRidge } from './ridge-solver.ts';

/** The cosines of `size` random rows. */
function cosines(seed: number, size: number, columns: number): Float64Array {
  const random = resumeRandom(randomState(seed, 'ridge', size, columns));
  const rows = Array.from({ length: size }, () =>
    Array.from({ length: columns }, () => random.normal()),
  );
  return cosineMatrix(gramianOf(rows), [...rows.keys()]).values;
}

/** The projections of each row onto the dual cone of all: b lies in the range of the matrix. */
function expectOptimal(matrix: Float64Array, size: number, row: number): number {
  const problem = { matrix, ridge: 1e-12 };
  const vector = Float64Array.from({ length: size }, (_, i) => -matrix[row * size + i]!);
  const search = ridgeSearch(size);
  expect(solveRidge(problem, vector, search)).toBe(true);
  const { solution, slopes } = search;
  const sum = solution.reduce((total, value) => total + value, 1);
  solution.forEach((value, i) => {
    const image = solution.reduce((total, x, j) => total + matrix[i * size + j]! * x, 0);
    expect(Math.abs(vector[i]! - image - slopes[i]!)).toBeLessThanOrEqual(1e-14 * size * sum);
    expect(value).toBeGreaterThanOrEqual(0);
    expect(slopes[i]!).toBeLessThanOrEqual(1e-11 * sum);
    if (value > 0) expect(Math.abs(slopes[i]!)).toBeLessThanOrEqual(1e-11 * sum);
  });
  return solution.filter((value) => value > 0).length;
}

describe('solveRidge', () => {
  it('meets the optimality conditions of the problem without a ridge', () => {
    const size = fc.integer({ min: 1, max: 24 });
    fc.assert(
      fc.property(fc.nat(), size, size, (seed, rows, columns) => {
        expectOptimal(cosines(seed, rows, columns), rows, seed % rows);
      }),
      { numRuns: 300 },
    );
  });

  // As many rows as there are sides to fall on: whether a common descent direction exists is a toss, and changing all
  // rows at once without looking at the objective would go round in circles.
  it.each([
    [80, 40],
    [80, 44],
    [80, 10],
    [80, 160],
  ])('comes to an end for %i rows of %i numbers', (size, columns) => {
    const matrix = cosines(1, size, columns);
    for (let row = 0; row < 5; row += 1)
      expect(expectOptimal(matrix, size, row)).toBeGreaterThan(9);
  });

  it('says where a ridge does not make the matrix definite', () => {
    const matrix = Float64Array.of(1, -1.1, -1.1, 1);
    const solve = (ridge: number): boolean =>
      solveRidge({ matrix, ridge }, Float64Array.of(1, 1), ridgeSearch(2));
    expect(solve(0.05)).toBe(false);
    expect(solve(0.2)).toBe(true);
  });
});
