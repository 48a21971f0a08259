import { gramianOf, minNormPoint } from '@multigrad/core/strategy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Vector } from '../plane/vectors.ts';
import { gradientsAt, lossesAt, paretoSet } from './two-valleys.ts';

/** The formulas as they stand in the comment, once more. */
function losses(x: number, y: number): number[] {
  const f1 = Math.log(Math.max(Math.abs(0.5 * (-x - 7) - Math.tanh(-y)), 5e-6)) + 6;
  const f2 = Math.log(Math.max(Math.abs(0.5 * (-x + 3) - Math.tanh(-y) + 2), 5e-6)) + 6;
  const g1 = ((-x + 7) ** 2 + 0.1 * (-y - 8) ** 2) / 10 - 20;
  const g2 = ((-x - 7) ** 2 + 0.1 * (-y - 8) ** 2) / 10 - 20;
  const c1 = Math.max(Math.tanh(0.5 * y), 0);
  const c2 = Math.max(Math.tanh(-0.5 * y), 0);
  return [c1 * f1 + c2 * g1, c1 * f2 + c2 * g2];
}

const coordinate = fc
  .integer({ min: -10_000, max: 10_000 })
  .map((thousandths) => thousandths / 1000);

describe('the two valleys', () => {
  it('have the losses of the formula', () => {
    fc.assert(
      fc.property(coordinate, coordinate, (x, y) => {
        const expected = losses(x, y);
        lossesAt([x, y]).forEach((loss, k) => expect(loss).toBeCloseTo(expected[k]!, 9));
      }),
    );
  });

  it('have the gradients that finite differences have, away from the bottoms and from y = 0', () => {
    const h = 1e-5;
    let looked = 0;
    fc.assert(
      fc.property(coordinate, coordinate, (x, y) => {
        const distance = Math.min(
          Math.abs(-0.5 * x - 3.5 + Math.tanh(y)),
          Math.abs(-0.5 * x + 3.5 + Math.tanh(y)),
        );
        if (Math.abs(y) < 0.01 || distance < 0.02) return;
        looked += 1;
        gradientsAt([x, y]).forEach((gradient, k) => {
          const byX = (losses(x + h, y)[k]! - losses(x - h, y)[k]!) / (2 * h);
          const byY = (losses(x, y + h)[k]! - losses(x, y - h)[k]!) / (2 * h);
          const scale = 1 + Math.abs(byX) + Math.abs(byY);
          expect(Math.abs(gradient[0] - byX)).toBeLessThan(1e-5 * scale);
          expect(Math.abs(gradient[1] - byY)).toBeLessThan(1e-5 * scale);
        });
      }),
      { numRuns: 500 },
    );
    expect(looked).toBeGreaterThan(300);
  });

  it('are flat at the bottoms of the steep valleys but for the gate', () => {
    // 0.5 (−x − 7) + tanh(y) = 0: there f1 is ln 5e-6 + 6, whatever x and y.
    const y = 3;
    const x = 2 * Math.tanh(y) - 7;
    const [[byX, byY]] = gradientsAt([x, y]);
    expect(byX).toBe(0);
    expect(byY).toBeCloseTo(0.5 * (1 - Math.tanh(1.5) ** 2) * (Math.log(5e-6) + 6), 12);
  });

  it('meet at y = 0 with losses of zero', () => {
    expect(lossesAt([3, 0])).toEqual([0, 0]);
    expect(gradientsAt([3, 0])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});

describe('the Pareto set', () => {
  const set = paretoSet(29);

  it('reaches from the best point of one loss to that of the other', () => {
    expect(set[0]![0]).toBe(-7);
    expect(set.at(-1)![0]).toBe(7);
    for (const [, y] of set) expect(y > -9 && y < -8).toBe(true);
  });

  it('is stationary', () => {
    for (const point of set) {
      const { weights } = minNormPoint(gramianOf(gradientsAt(point)));
      const [a, b] = gradientsAt(point);
      for (const c of [0, 1] as const)
        expect(Math.abs(weights[0]! * a[c] + weights[1]! * b[c])).toBeLessThan(1e-6);
    }
  });

  it('is dominated by no point of a grid', () => {
    const grid = Array.from({ length: 81 }, (_, i) => -12 + 0.3 * i);
    const all = grid.flatMap((x) => grid.map((y): Vector => lossesAt([x, y])));
    for (const point of set) {
      const [first, second] = lossesAt(point);
      expect(all.some(([a, b]) => a < first - 1e-9 && b < second - 1e-9)).toBe(false);
    }
  });
});
