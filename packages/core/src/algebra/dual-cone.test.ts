import {
  combineExactly,
  compareExactly,
  dot,
  dotExactly,
  entangledRows,
  exactGradients,
  exactLength,
  exactVector,
  nearestDouble,
  nearestDoubles,
  noisyGramian,
  projectOntoDualConeExactly,
  subtractExactly,
} from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectOntoDualCone } from './dual-cone.ts';
import type { Gramian } from './gramian.ts';
import { gramianOf } from './gramian-of.ts';

const entry = fc.integer({ min: -30, max: 30 }).map((value) => value / 10);
const length = fc.integer({ min: -3, max: 3 }).map((power) => 10 ** power);

/** K = 1 … 8 rows of 1 … 9 numbers with norms from 1e-3 to 1e3, dependent ones among them. */
const problems = fc
  .tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 9 }))
  .chain(([rows, columns]) =>
    fc.tuple(
      fc.array(
        fc
          .tuple(fc.array(entry, { minLength: columns, maxLength: columns }), length)
          .map(([row, factor]) => row.map((value) => value * factor)),
        { minLength: rows, maxLength: rows },
      ),
      fc.array(entry, { minLength: rows, maxLength: rows }),
    ),
  );

const combine = (jacobian: readonly number[][], v: ArrayLike<number>): number[] =>
  jacobian[0]!.map((_, c) => jacobian.reduce((sum, row, k) => sum + row[c]! * v[k]!, 0));

/** What the remarks promise, judged without rounding. */
function expectBounds(jacobian: readonly number[][], gramian: Gramian, u: Float64Array): void {
  const v = projectOntoDualCone(gramian, u);
  const gradients = exactGradients(jacobian);
  const lengths = gradients.rows.map(exactLength);
  const error = gramian.relativeError + gramian.size * 2 ** -50;
  const update = combineExactly(gradients, exactVector(v));
  const reference = combineExactly(gradients, exactVector(u));
  const expected = projectOntoDualConeExactly(gradients, exactVector(u));
  const longer = compareExactly(dotExactly(update, update), dotExactly(reference, reference));
  expect(longer).toBeLessThanOrEqual(0);
  const length = exactLength(update);
  gradients.rows.forEach((row, k) => {
    const product = nearestDouble(dotExactly(update, row));
    expect(product).toBeGreaterThanOrEqual(-2 * Math.sqrt(error) * length * lengths[k]!);
  });
  const added = nearestDoubles(subtractExactly(expected, exactVector(u)));
  const uncancelled = added.reduce(
    (sum, value, k) => sum + (Math.abs(u[k]!) + value) * lengths[k]!,
    0,
  );
  const distance = exactLength(subtractExactly(update, combineExactly(gradients, expected)));
  expect(distance).toBeLessThanOrEqual(12 * gramian.size * Math.sqrt(error) * uncancelled);
}

describe('projectOntoDualCone', () => {
  it('has the closed form of two gradients', () => {
    const gramian = gramianOf([
      [-4, 1, 1],
      [6, 1, 1],
    ]);
    const [a, b] = [...projectOntoDualCone(gramian, Float64Array.of(1, 0))];
    expect(a).toBe(1);
    expect(b).toBeCloseTo(22 / 38, 14);
    const half = projectOntoDualCone(gramian, Float64Array.of(0.5, 0.5));
    expect(half[0]).toBeCloseTo(0.6111111111111, 12);
    expect(half[1]).toBe(0.5);
  });

  it('meets the optimality conditions', () => {
    fc.assert(
      fc.property(problems, ([jacobian, start]) => {
        const u = Float64Array.from(start);
        const v = projectOntoDualCone(gramianOf(jacobian), u);
        const update = combine(jacobian, v);
        // Zero because the projection is: judged below.
        if (v.every((value, k) => value === 0 || dot(jacobian[k]!, jacobian[k]!) === 0)) return;
        const size = jacobian.reduce(
          (sum, row, k) =>
            sum + Math.sqrt(dot(row, row)) * Math.max(Math.abs(v[k]!), Math.abs(u[k]!)),
          0,
        );
        jacobian.forEach((row, k) => {
          const own = Math.sqrt(dot(row, row));
          const product = dot(update, row);
          expect(v[k]!).toBeGreaterThanOrEqual(u[k]!);
          expect(product).toBeGreaterThanOrEqual(-1e-9 * own * size);
          if (v[k]! > u[k]!) expect(Math.abs(product)).toBeLessThanOrEqual(1e-9 * own * size);
        });
      }),
    );
  });

  it('keeps its bounds for any rows, against the projection without rounding', () => {
    fc.assert(
      fc.property(problems, ([jacobian, start]) => {
        expectBounds(jacobian, gramianOf(jacobian), Float64Array.from(start));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['float64', 2 ** -52],
    ['float32', 2 ** -22],
  ])('keeps its bounds for entangled rows and noise of %s', (_, noise) => {
    const weight = fc.integer({ min: -2, max: 5 });
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.integer({ min: 2, max: 12 }),
        fc.array(weight, { minLength: 12, maxLength: 12 }),
        (seed, size, start) => {
          const jacobian = entangledRows(seed, size);
          const u = Float64Array.from(start.slice(0, size));
          expectBounds(jacobian, noisyGramian(jacobian, noise, seed), u);
        },
      ),
      {
        numRuns: 400,
        // Where rounding of nearly opposite rows has been taken for a conflict.
        examples: [
          [53232, 5, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
          [9525, 12, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
        ],
      },
    );
  });

  it('is zero for pairs of opposites', () => {
    const pairs = [
      [-7, -7, -3, -9],
      [-1, -8, 9, -8],
      [7, 7, 3, 9],
      [1, 8, -9, 8],
    ];
    const v = projectOntoDualCone(gramianOf(pairs), Float64Array.of(0.25, 0.25, 0.25, 0.25));
    expect([...v]).toEqual([0, 0, 0, 0]);
  });

  it('finds a vector that is not too long where the Gramian states less error than it has', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.integer({ min: 2, max: 12 }), (seed, size) => {
        const jacobian = entangledRows(seed, size);
        const gramian = { ...noisyGramian(jacobian, 2 ** -22, seed), relativeError: 0 };
        const u = new Float64Array(size).fill(1);
        const length = (v: Float64Array): number => Math.hypot(...combine(jacobian, v));
        const found = length(projectOntoDualCone(gramian, u));
        const longest = jacobian.reduce((most, row) => Math.max(most, Math.hypot(...row)), 0);
        expect(found).toBeLessThanOrEqual(length(u) + 0.01 * size * longest);
      }),
    );
  });

  it('vanishes for opposite gradients and leaves zero ones alone', () => {
    const opposite = [
      [2, 0],
      [-1, 0],
      [0, 0],
    ];
    const v = projectOntoDualCone(gramianOf(opposite), Float64Array.of(1, 0, 5));
    expect([...v]).toEqual([0, 0, 5]);
  });

  it('does not change when J is scaled', () => {
    const rows = [
      [-4, 1, 1],
      [6, 1, 1],
      [-1, -2, 0.5],
    ];
    const u = Float64Array.of(1, 0.5, 2);
    const plain = projectOntoDualCone(gramianOf(rows), u);
    for (const scale of [1e-150, 1e-15, 1e15, 1e150]) {
      const scaled = projectOntoDualCone(
        gramianOf(rows.map((row) => row.map((x) => x * scale))),
        u,
      );
      scaled.forEach((value, k) => expect(value / plain[k]!).toBeCloseTo(1, 9));
    }
  });

  it('refuses other than K finite numbers', () => {
    const gramian = gramianOf([[1]]);
    expect(() => projectOntoDualCone(gramian, Float64Array.of(1, 2))).toThrow('Found 2.');
    expect(() => projectOntoDualCone(gramian, Float64Array.of(NaN))).toThrow('Found NaN at 0.');
  });
});
