import {
  createStrategy,
  gramianOf,
  groupGradients,
  integrateMatrix,
  symmetricEigen,
} from '@multigrad/core/strategy';
import { bent, dot, expectVector, norm, steep } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignedMtl, type AlignedMtlOptions, plugin } from './index.ts';

const scales = ['min', 'median', 'rmse'] as const;

function integrate(jacobian: readonly (readonly number[])[], options?: AlignedMtlOptions) {
  return integrateMatrix(alignedMtl(options), jacobian);
}

/** Prefers row k alone: its update is the aligned gradient k. */
function alone(k: number, size: number): Record<string, number> {
  return Object.fromEntries(
    Array.from({ length: size }, (_, at) => [String(at), at === k ? 3 : 0]),
  );
}

/** Rows e_i times i, plus something small: linearly independent, and well so. */
const independent = fc.integer({ min: 1, max: 5 }).chain((rows) =>
  fc
    .array(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: rows, maxLength: rows }), {
      minLength: rows,
      maxLength: rows,
    })
    .map((noise) =>
      noise.map((row, i) => row.map((value, j) => value / 50 + (i === j ? i + 1 : 0))),
    ),
);

describe('alignedMtl', () => {
  it('has the published values', () => {
    const { weights, update } = integrate(steep);
    expectVector(update, [0.213278746, 0.9673329838, 0.9673329838]);
    expectVector(weights, [0.5591, 0.4083], 5e-5);
    expectVector(integrate(bent).update, [0.5257834231, 0.1408832436]);
  });

  it('aligns: the aligned gradients are orthogonal, of the squared length that `scale` says', () => {
    fc.assert(
      fc.property(independent, fc.constantFrom(...scales), (jacobian, scale) => {
        const before = structuredClone(jacobian);
        const size = jacobian.length;
        const { eigenvalues } = symmetricEigen(gramianOf(jacobian).values, size);
        const expected = {
          min: eigenvalues[size - 1]!,
          median: [...eigenvalues].reverse()[Math.floor((size - 1) / 2)]!,
          rmse: eigenvalues.reduce((total, value) => total + value, 0) / size,
        }[scale];
        const aligned = jacobian.map(
          (_, k) => integrate(jacobian, { scale, preference: alone(k, size) }).update,
        );
        expect(jacobian).toEqual(before);
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < size; j++) {
            const product = dot(aligned[i]!, aligned[j]!);
            const wanted = i === j ? expected : 0;
            expect(Math.abs(product - wanted)).toBeLessThanOrEqual(1e-10 * expected);
          }
        }
      }),
    );
  });

  it('keeps orthogonal gradients of one length, and one objective alone', () => {
    for (const scale of scales) {
      const options = { scale };
      expectVector(
        integrate(
          [
            [3, 4],
            [-4, 3],
          ],
          options,
        ).weights,
        [0.5, 0.5],
        1e-15,
      );
      expectVector(integrate([[3, -4]], options).weights, [1], 1e-15);
    }
  });

  it('shortens or lengthens all by one factor with another scale', () => {
    // Eigenvalues 1, 4 and 25.
    const rows = [
      [1, 0, 0],
      [0, 2, 0],
      [0, 0, 5],
    ];
    expectVector(integrate(rows).weights, [1 / 3, 1 / 6, 1 / 15], 1e-15);
    expectVector(integrate(rows, { scale: 'median' }).weights, [2 / 3, 1 / 3, 2 / 15], 1e-15);
    const root = Math.sqrt(10);
    expectVector(
      integrate(rows, { scale: 'rmse' }).weights,
      [root / 3, root / 6, root / 15],
      1e-14,
    );
    // The lower of two middle ones, and zeros do not count.
    const even = [
      [1, 0, 0],
      [0, 2, 0],
      [0, 0, 0],
    ];
    expectVector(integrate(even, { scale: 'median' }).weights, [1 / 3, 1 / 6, 0], 1e-15);
  });

  it('prefers by name, in proportion', () => {
    const strategy = alignedMtl({ preference: { b: 3, absent: 7 } });
    const rows = [
      [0, 1],
      [1, 0],
    ];
    const named = integrateMatrix(strategy, rows, { objectives: ['a', 'b'] });
    expectVector(named.weights, [0.25, 0.75], 1e-15);
    const huge = alignedMtl({ preference: { a: 1e308, b: 1e308 } });
    const { weights } = integrateMatrix(huge, rows, { objectives: ['a', 'b'] });
    expectVector(weights, [0.5, 0.5], 1e-15);
    const own = integrateMatrix(alignedMtl({ preference: {} }), rows, {
      objectives: ['constructor', '__proto__'],
    });
    expectVector(own.weights, [0.5, 0.5], 1e-15);
    const none = integrate(rows, { preference: { 0: 0, 1: 0 } });
    expect([...none.weights]).toEqual([0, 0]);
    expect(none.note).toBe('degenerate');
  });

  it('is never longer than the plain average with the scale `min`', () => {
    fc.assert(
      fc.property(independent, (jacobian) => {
        const { update } = integrate(jacobian);
        const average = update.map(
          (_, at) => jacobian.reduce((total, row) => total + row[at]!, 0) / jacobian.length,
        );
        expect(norm(update)).toBeLessThanOrEqual(norm(average) * (1 + 1e-10));
      }),
    );
  });

  it('has the same weights at every scale of the gradients', () => {
    for (const factor of [1e-150, 1e-15, 1e15, 1e150]) {
      for (const jacobian of [steep, bent]) {
        for (const scale of scales) {
          const scaled = jacobian.map((row) => row.map((value) => value * factor));
          const expected = [...integrate(jacobian, { scale }).weights];
          expectVector(integrate(scaled, { scale }).weights, expected, 1e-12);
        }
      }
    }
  });

  it('tells a short gradient from a dependent one by the angle', () => {
    const rows = [
      [1e3, 0],
      [0, 1e-3],
    ];
    const seen = groupGradients({
      objectives: ['a', 'b'],
      gramian: { ...gramianOf(rows), relativeError: 2 ** -22 },
    });
    expectVector(alignedMtl().integrate(seen, null).weights, [5e-7, 0.5], 1e-15);
    // A float32 sum of duplicates: dependent within the stated error, whatever the sign of the eigenvalue.
    for (const sign of [1, -1]) {
      const values = Float64Array.of(1, 1 + sign * 1e-7, 1 + sign * 1e-7, 1);
      const duplicates = groupGradients({
        objectives: ['a', 'b'],
        gramian: { size: 2, values, relativeError: 2 ** -22 },
      });
      expectVector(alignedMtl().integrate(duplicates, null).weights, [0.5, 0.5], 1e-6);
    }
  });

  it('cancels opposite gradients, and does not stand still at all stationary ones', () => {
    const opposite = integrate([
      [3, 1],
      [-3, -1],
    ]);
    expect(norm(opposite.update)).toBeLessThanOrEqual(1e-15);
    const surrounding = integrate([
      [1, 0],
      [-1, 1],
      [-1, -1],
    ]);
    expect(norm(surrounding.update)).toBeGreaterThan(0.01);
  });
});

describe('plugin', () => {
  it('describes the factory', () => {
    expect(plugin.name).toBe(alignedMtl().name);
    expect(createStrategy(plugin, { scale: 'rmse' }).needs).toEqual({ gradients: 'gramian' });
    expect(() => createStrategy(plugin, { scale: 'mean' })).toThrow(
      'Option `scale` of `aligned-mtl` should be "min" or "median" or "rmse". Found "mean".',
    );
  });
});
