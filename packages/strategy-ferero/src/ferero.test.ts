import { gramianOf, innerProducts, integrateMatrix } from '@multigrad/core/strategy';
import { dot, expectVector, steep } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ferero } from './index.ts';

const names = (count: number): string[] => Array.from({ length: count }, (_, k) => String(k));

describe('ferero', () => {
  it('has the values by hand', () => {
    // u with ⟨g_2, u⟩ − ⟨g_1, u⟩ = 10 u_1 = 2 − 1, and steepest descent: g_2 is the worst at once, and of all u on that plane
    // −u has the greatest ⟨g_k, −u⟩ + |u|² / 2 least at u = (0.1, 1, 1).
    const { update } = integrateMatrix(ferero({ normalize: false }), steep, { losses: [1, 2] });
    expectVector(update, [0.1, 1, 1], 1e-12);
  });

  it('brings the losses to the ray at the rate asked for', () => {
    const entry = fc.integer({ min: -20, max: 20 });
    const cases = fc.integer({ min: 2, max: 5 }).chain((rows) =>
      fc.record({
        jacobian: fc.array(fc.array(entry, { minLength: 8, maxLength: 8 }), {
          minLength: rows,
          maxLength: rows,
        }),
        losses: fc.array(fc.integer({ min: 1, max: 100 }), { minLength: rows, maxLength: rows }),
        ray: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: rows, maxLength: rows }),
        pull: fc.constantFrom(0, 0.5, 2),
      }),
    );
    fc.assert(
      fc.property(cases, ({ jacobian, losses, ray, pull }) => {
        const preference = Object.fromEntries(names(ray.length).map((name, k) => [name, ray[k]!]));
        const strategy = ferero({ preference, pull, normalize: false });
        const { weights } = integrateMatrix(strategy, jacobian, { losses });
        const gains = [...innerProducts(gramianOf(jacobian), weights)];
        // What is left of the gains and of c L, less its part along the ray, has to be the same.
        const aside = (vector: readonly number[]): number[] => {
          const along = dot(vector, ray) / dot(ray, ray);
          return vector.map((value, k) => value - along * ray[k]!);
        };
        const wanted = aside(losses.map((loss) => pull * loss));
        const found = aside(gains);
        const gap = Math.hypot(...found.map((value, k) => value - wanted[k]!));
        expect(gap).toBeLessThan(1e-6 * (1 + Math.hypot(...gains) + Math.hypot(...wanted)));
      }),
      { numRuns: 300 },
    );
  });

  it('is the least of what it minimises, over other weights', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
        fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 3, maxLength: 3 }),
        (shares, free) => {
          const jacobian = [
            [1, 2, 0, 1],
            [0, 1, -3, 1],
            [2, -1, 1, 0],
          ];
          const losses = [1, 2, 4];
          const ray = [1, 2, 2].map((value) => value / 3);
          const preference = { 0: 1, 1: 2, 2: 2 };
          const total = shares.reduce((sum, share) => sum + share, 0);
          if (total < 1e-3) return;
          const convex = shares.map((share) => share / total);
          const along = dot(free, ray);
          const across = free.map((value, k) => value - along * ray[k]!);
          // ½ |Jᵀ (λ + v)|² − vᵀ L with v at right angles to the ray.
          const gramian = gramianOf(jacobian);
          const value = (lambda: readonly number[], v: readonly number[]): number => {
            const w = Float64Array.from(lambda, (each, k) => each + v[k]!);
            return dot([...innerProducts(gramian, w)], [...w]) / 2 - dot(v, losses);
          };
          const { weights } = integrateMatrix(ferero({ preference, normalize: false }), jacobian, {
            losses,
          });
          // λ has the same part along the ray as the weights: of all such λ the one with the least λᵀ L counts.
          let ours = Infinity;
          const s = dot([...weights], ray);
          for (const [i, j] of [
            [0, 1],
            [0, 2],
            [1, 2],
          ] as const) {
            const apart = ray[i]! - ray[j]!;
            const part = apart === 0 ? 0 : (s - ray[j]!) / apart;
            if (part < -1e-9 || part > 1 + 1e-9) continue;
            const lambda = [0, 0, 0];
            lambda[i] = part;
            lambda[j] = 1 - part;
            if (Math.abs(dot(lambda, ray) - s) > 1e-9) continue;
            ours = Math.min(
              ours,
              value(
                lambda,
                lambda.map((each, k) => weights[k]! - each),
              ),
            );
          }
          expect(ours).toBeLessThanOrEqual(value(convex, across) + 1e-9);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('falls along the ray once the losses are on it, in proportion to them', () => {
    const { update, diagnostics } = integrateMatrix(ferero({ preference: { 0: 1, 1: 2 } }), steep, {
      losses: [2, 4],
    });
    expect(diagnostics!['distance']).toBeCloseTo(0, 14);
    const [first, second] = steep.map((row) => dot(row, [...update]));
    expect(first!).toBeGreaterThan(0);
    expect(second! / first!).toBeCloseTo(2, 10);
  });

  it('stands still where there is no gradient, and answers losses of any size', () => {
    expect(integrateMatrix(ferero(), [[0], [0]], { losses: [1, 2] }).note).toBe('stationary');
    const { weights } = integrateMatrix(ferero(), [[1e-100], [2e-100]], { losses: [1e200, 1] });
    expect(weights.every(Number.isFinite)).toBe(true);
    expect(Math.abs(weights[0]!) + Math.abs(weights[1]!)).toBeCloseTo(1, 12);
  });
});
