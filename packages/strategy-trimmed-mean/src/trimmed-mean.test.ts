import { integrateMatrix } from '@multigrad/core/strategy';
import { expectVector } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plugin, trimmedMean } from './index.ts';

describe('trimmedMean', () => {
  it('is what sorting gives', () => {
    const entry = fc.integer({ min: -9, max: 9 });
    const rows = fc.integer({ min: 1, max: 9 }).chain((size) =>
      fc.array(fc.array(entry, { minLength: 4, maxLength: 4 }), {
        minLength: size,
        maxLength: size,
      }),
    );
    fc.assert(
      fc.property(rows, fc.integer({ min: 0, max: 4 }), (jacobian, wanted) => {
        const trim = Math.min(wanted, Math.floor((jacobian.length - 1) / 2));
        const expected = [0, 1, 2, 3].map((c) => {
          const kept = jacobian
            .map((row) => row[c]!)
            .sort((a, b) => a - b)
            .slice(trim, jacobian.length - trim);
          return kept.reduce((sum, value) => sum + value, 0) / kept.length;
        });
        expectVector(integrateMatrix(trimmedMean({ trim }), jacobian).update, expected, 1e-14);
      }),
    );
  });

  it('shrugs off one gradient, however wrong', () => {
    for (const wrong of [1e15, -1e15]) {
      const { update } = integrateMatrix(trimmedMean(), [
        [1, 1],
        [2, 2],
        [wrong, -wrong],
        [3, 3],
      ]);
      for (const value of update) expect(value).toBeGreaterThanOrEqual(1);
      for (const value of update) expect(value).toBeLessThanOrEqual(3);
    }
  });

  it('refuses groups of too few objectives', () => {
    expect(() => trimmedMean().init({ key: 'trunk', objectives: ['a', 'b'], tensors: [] })).toThrow(
      'Strategy `trimmed-mean` with trim 1 needs at least 3 objectives in a group. Found 2 in group `trunk`: `a`, `b`.',
    );
    const options = { state: null, objectives: ['a', 'b'], step: 4 };
    expect(() => integrateMatrix(trimmedMean(), [[1], [2]], options)).toThrow('Found 2 at step 4');
    expect(plugin.create().name).toBe(plugin.name);
  });
});
