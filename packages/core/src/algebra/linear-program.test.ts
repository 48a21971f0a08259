import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LinearProgram, solveLinearProgram } from './linear-program.ts';

const entry = fc.integer({ min: -9, max: 9 });

/** Programs whose vertices can be counted: n variables, rows of small integers, Σ x = 1. */
const programs: fc.Arbitrary<LinearProgram> = fc
  .record({ size: fc.integer({ min: 1, max: 5 }), rows: fc.integer({ min: 0, max: 5 }) })
  .chain(({ size, rows }) => {
    const row = fc.array(entry, { minLength: size, maxLength: size });
    return fc.record({
      objective: row,
      atLeast: fc.array(row, { minLength: rows, maxLength: rows }),
      least: fc.array(fc.integer({ min: -4, max: 4 }), { minLength: rows, maxLength: rows }),
      equal: fc.constant([Array<number>(size).fill(1)]),
      values: fc.constant([1]),
    });
  });

const product = (row: ArrayLike<number>, x: ArrayLike<number>): number =>
  Array.from(row).reduce((sum, value, k) => sum + value * x[k]!, 0);

/** The best value over all vertices: each is the solution of n of the equations. */
function bestVertex({ objective, atLeast, least, equal, values }: LinearProgram): number | null {
  const size = objective.length;
  const unit = (k: number): number[] => Array.from({ length: size }, (_, j) => +(j === k));
  const inequalities = [
    ...atLeast.map((row, i) => ({ row: Array.from(row), bound: least[i]! })),
    ...Array.from({ length: size }, (_, k) => ({ row: unit(k), bound: 0 })),
  ];
  const equations = equal.map((row, i) => ({ row: Array.from(row), bound: values[i]! }));
  let best: number | null = null;
  for (const chosen of subsets(inequalities, size - equations.length)) {
    const x = solved([...equations, ...chosen]);
    if (x === null) continue;
    if (inequalities.some(({ row, bound }) => product(row, x) < bound - 1e-9)) continue;
    best = Math.max(best ?? -Infinity, product(objective, x));
  }
  return best;
}

function subsets<Item>(items: readonly Item[], count: number): Item[][] {
  if (count === 0) return [[]];
  return items.flatMap((item, at) =>
    subsets(items.slice(at + 1), count - 1).map((rest) => [item, ...rest]),
  );
}

/** Gauss with pivots; null where the equations do not decide x. */
function solved(equations: readonly { row: number[]; bound: number }[]): number[] | null {
  const lines = equations.map(({ row, bound }) => [...row, bound]);
  const size = lines.length;
  for (let k = 0; k < size; k += 1) {
    const from = lines.findIndex((line, i) => i >= k && Math.abs(line[k]!) > 1e-9);
    if (from < 0) return null;
    [lines[k], lines[from]] = [lines[from]!, lines[k]!];
    for (let i = 0; i < size; i += 1) {
      if (i === k) continue;
      const factor = lines[i]![k]! / lines[k]![k]!;
      lines[i] = lines[i]!.map((value, at) => value - factor * lines[k]![at]!);
    }
  }
  return lines.map((line, k) => line[size]! / line[k]!);
}

describe('solveLinearProgram', () => {
  it('finds the best vertex of every program that has one', () => {
    let solvedOnes = 0;
    let impossible = 0;
    fc.assert(
      fc.property(programs, (program) => {
        const best = bestVertex(program);
        const x = solveLinearProgram(program);
        if (best === null) {
          impossible += 1;
          expect(x).toBeNull();
          return;
        }
        solvedOnes += 1;
        expect(x).not.toBeNull();
        expect(Math.min(...x!)).toBeGreaterThanOrEqual(0);
        expect(product(program.equal[0]!, x!)).toBeCloseTo(1, 9);
        program.atLeast.forEach((row, i) => {
          expect(product(row, x!)).toBeGreaterThanOrEqual(program.least[i]! - 1e-9);
        });
        expect(product(program.objective, x!)).toBeCloseTo(best, 8);
      }),
      { numRuns: 1000 },
    );
    expect(Math.min(solvedOnes, impossible)).toBeGreaterThan(50);
  });

  it('ends where the ordinary rule goes round in circles (Beale), and says where there is no bound', () => {
    const beale: LinearProgram = {
      objective: [0.75, -150, 0.02, -6],
      atLeast: [
        [-0.25, 60, 0.04, -9],
        [-0.5, 90, 0.02, -3],
        [0, 0, -1, 0],
      ],
      least: [0, 0, -1],
      equal: [],
      values: [],
    };
    const x = solveLinearProgram(beale)!;
    expect(product(beale.objective, x)).toBeCloseTo(0.05, 12);
    expect(
      solveLinearProgram({
        objective: [1, 0],
        atLeast: [[-1, 1]],
        least: [-1],
        equal: [],
        values: [],
      }),
    ).toBeNull();
  });

  it('passes over rows that ask for nothing and repeated equations', () => {
    const x = solveLinearProgram({
      objective: [1, 3],
      atLeast: [[0, -1]],
      least: [-Infinity],
      equal: [
        [1, 1],
        [2, 2],
      ],
      values: [1, 2],
    });
    expect([...x!]).toEqual([0, 1]);
  });

  it('keeps its digits where rows differ by 200 orders of magnitude', () => {
    const x = solveLinearProgram({
      objective: [1e-150, 2e-150],
      atLeast: [[1e100, -1e100]],
      least: [0],
      equal: [[1e-100, 1e-100]],
      values: [1e-100],
    });
    expect(x![0]).toBeCloseTo(0.5, 14);
    expect(x![1]).toBeCloseTo(0.5, 14);
  });

  it('refuses rows of another length', () => {
    expect(() =>
      solveLinearProgram({ objective: [1], atLeast: [[1, 2]], least: [0], equal: [], values: [] }),
    ).toThrow('should have rows of as many numbers');
  });
});
