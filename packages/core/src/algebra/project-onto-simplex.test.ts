import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectOntoSimplex } from './project-onto-simplex.ts';

describe('projectOntoSimplex', () => {
  it('keeps points of the simplex and cuts off what is far below', () => {
    expect([...projectOntoSimplex(Float64Array.of(0.25, 0.75))]).toEqual([0.25, 0.75]);
    expect([...projectOntoSimplex(Float64Array.of(1e300, 1, -1e300))]).toEqual([1, 0, 0]);
    expect([...projectOntoSimplex(Float64Array.of(7, 7))]).toEqual([0.5, 0.5]);
  });

  it('is the nearest point: no other makes an obtuse angle with what was cut off', () => {
    const vectors = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(vectors, (vector) => {
        const x = Float64Array.from(vector);
        const w = projectOntoSimplex(x);
        expect(Math.min(...w)).toBeGreaterThanOrEqual(0);
        expect(w.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 14);
        const residual = x.map((value, k) => value - w[k]!);
        const own = residual.reduce((sum, value, k) => sum + value * w[k]!, 0);
        // At every corner e_k: ⟨x − w, e_k − w⟩ <= 0.
        residual.forEach((value) => expect(value - own).toBeLessThanOrEqual(1e-13));
      }),
    );
  });

  it('refuses what has no projection', () => {
    expect(() => projectOntoSimplex(Float64Array.of())).toThrow('Found [].');
    expect(() => projectOntoSimplex(Float64Array.of(1, NaN))).toThrow('Found [1, NaN].');
  });
});
