import { gramianOf, minNormPoint } from '@multigrad/core/strategy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commonDescentCone } from './cone.ts';
import { dot, length, type Vector } from './vectors.ts';

const coordinate = fc.double({ min: -3, max: 3, noNaN: true });
const gradient = fc.tuple(coordinate, coordinate).filter((g) => length(g) > 0.05);
const gradients = fc.array(gradient, { minLength: 1, maxLength: 3 });

const along = (angle: number): Vector => [Math.cos(angle), Math.sin(angle)];
const lowest = (u: Vector, rows: readonly Vector[]): number =>
  Math.min(...rows.map((g) => dot(u, g) / length(g)));

describe('commonDescentCone', () => {
  it('of one gradient is the half-plane around it', () => {
    expect(commonDescentCone([[2, 0]])).toEqual({ from: -Math.PI / 2, to: Math.PI / 2 });
  });

  it('of two perpendicular gradients is what lies between them', () => {
    const cone = commonDescentCone([
      [0, 3],
      [1, 0],
    ])!;
    expect(cone.from).toBeCloseTo(0, 12);
    expect(cone.to).toBeCloseTo(Math.PI / 2, 12);
  });

  it.each([
    [
      'opposite gradients',
      [
        [1, 2],
        [-2, -4],
      ],
    ],
    [
      'a gradient of zero',
      [
        [1, 2],
        [0, 0],
      ],
    ],
    [
      'three gradients all around',
      [
        [1, 0],
        [-1, 1],
        [-1, -1],
      ],
    ],
  ] as [string, Vector[]][])('is empty for %s', (_, rows) => {
    expect(commonDescentCone(rows)).toBeNull();
  });

  it('holds the directions along which no loss rises, and no others', () => {
    fc.assert(
      fc.property(gradients, fc.double({ min: 0, max: 1, noNaN: true }), (rows, part) => {
        const cone = commonDescentCone(rows);
        if (cone === null) return;
        const { from, to } = cone;
        expect(to).toBeGreaterThanOrEqual(from - 1e-9);
        expect(to - from).toBeLessThanOrEqual(Math.PI + 1e-9);
        expect(lowest(along(from + part * (to - from)), rows)).toBeGreaterThan(-1e-9);
        const rest = 2 * Math.PI - (to - from);
        const outside = to + 1e-3 + part * (rest - 2e-3);
        expect(lowest(along(outside), rows)).toBeLessThan(0);
      }),
    );
  });

  it('holds the shortest combination of the gradients', () => {
    fc.assert(
      fc.property(gradients, (rows) => {
        const { weights, stationary } = minNormPoint(gramianOf(rows));
        const cone = commonDescentCone(rows);
        expect(cone === null).toBe(stationary);
        if (cone === null) return;
        const u: Vector = [0, 1].map((c) =>
          rows.reduce((total, row, k) => total + weights[k]! * row[c as 0 | 1], 0),
        ) as unknown as Vector;
        const middle = (cone.from + cone.to) / 2;
        const turn = Math.atan2(
          Math.sin(Math.atan2(u[1], u[0]) - middle),
          Math.cos(Math.atan2(u[1], u[0]) - middle),
        );
        expect(Math.abs(turn)).toBeLessThanOrEqual((cone.to - cone.from) / 2 + 1e-6);
      }),
    );
  });
});
