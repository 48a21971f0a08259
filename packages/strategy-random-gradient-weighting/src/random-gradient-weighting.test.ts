import {
  createStrategy,
  groupGradients,
  integrateMatrix,
  type RandomState,
  resumeRandom,
} from '@multigrad/core/strategy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plugin, randomGradientWeighting } from './index.ts';

const objectives = ['a', 'b', 'c', 'd', 'e'];

function initial(seed: number, key = 'run'): RandomState {
  return randomGradientWeighting({ seed }).init({ key, objectives, tensors: [] });
}

/** The weights of some steps, with the objectives that are present at each. */
function history(present: readonly (readonly string[])[], seed: number, throughJson = false) {
  const strategy = randomGradientWeighting({ seed });
  let state = initial(seed);
  return present.map((names) => {
    const before = JSON.stringify(state);
    const result = strategy.integrate(groupGradients({ objectives: names }), state);
    // The old state is as it was: a strategy is a pure function.
    expect(JSON.stringify(state)).toBe(before);
    state = throughJson ? (JSON.parse(JSON.stringify(result.state)) as RandomState) : result.state;
    return [...result.weights];
  });
}

const steps = fc.array(fc.subarray(objectives, { minLength: 1 }), { minLength: 1, maxLength: 8 });

describe('randomGradientWeighting', () => {
  it('is the softmax of normal numbers, one for each objective present', () => {
    fc.assert(
      fc.property(steps, fc.integer(), (present, seed) => {
        const random = resumeRandom(initial(seed));
        for (const [at, weights] of history(present, seed).entries()) {
          const normals = present[at]!.map(() => random.normal());
          expect(Math.min(...weights)).toBeGreaterThan(0);
          expect(weights.reduce((total, weight) => total + weight, 0)).toBeCloseTo(1, 12);
          weights.forEach((weight, k) => {
            // The logarithms differ as the numbers do.
            expect(Math.log(weight / weights[0]!)).toBeCloseTo(normals[k]! - normals[0]!, 10);
          });
        }
      }),
    );
  });

  it('averages to the mean of the gradients', () => {
    const weights = history(new Array<string[]>(20_000).fill(objectives), 1);
    objectives.forEach((_, k) => {
      const mean = weights.reduce((total, row) => total + row[k]!, 0) / weights.length;
      const square = weights.reduce((total, row) => total + row[k]! ** 2, 0) / weights.length;
      const deviation = Math.sqrt((square - mean ** 2) / weights.length);
      expect(Math.abs(mean - 1 / 5)).toBeLessThan(4 * deviation);
      expect(deviation * Math.sqrt(weights.length)).toBeGreaterThan(0.1);
    });
  });

  it('keeps one objective plain', () => {
    expect([...integrateMatrix(randomGradientWeighting(), [[3, -4]]).weights]).toEqual([1]);
  });

  it('asks for no gradients: their scale, zeros and order have no say', () => {
    expect(randomGradientWeighting().needs).toEqual({ gradients: 'none' });
    const weightsOf = (jacobian: readonly (readonly number[])[]) => [
      ...integrateMatrix(randomGradientWeighting({ seed: 4 }), jacobian).weights,
    ];
    const expected = weightsOf([
      [-4, 1, 1],
      [6, 1, 1],
    ]);
    for (const scale of [0, 1e-150, 1e-15, 1e15, 1e150]) {
      const jacobian = [
        [scale, -scale],
        [-scale, scale],
      ];
      const before = structuredClone(jacobian);
      expect(weightsOf(jacobian)).toEqual(expected);
      expect(jacobian).toEqual(before);
    }
  });

  it('is determined by the seed and the group', () => {
    fc.assert(
      fc.property(steps, fc.integer(), (present, seed) => {
        expect(history(present, seed)).toEqual(history(present, seed));
      }),
    );
    const twice = [objectives, objectives];
    expect(history(twice, 1)).not.toEqual(history(twice, 2));
    expect(history(twice, 1)[0]).not.toEqual(history(twice, 1)[1]);
    expect(initial(1, 'trunk')).not.toEqual(initial(1, 'head'));
    expect(initial(0)).toEqual(
      randomGradientWeighting().init({ key: 'run', objectives, tensors: [] }),
    );
  });

  it('refuses seeds that are none', () => {
    expect(() => randomGradientWeighting({ seed: 1.5 })).toThrow(
      'Option `seed` of `random-gradient-weighting` should be an integer. Found 1.5.',
    );
  });
});

describe('plugin', () => {
  it('describes the factory', () => {
    expect(plugin.name).toBe(randomGradientWeighting().name);
    const group = { key: 'run', objectives, tensors: [] };
    expect(createStrategy(plugin, { seed: '9' }).init(group)).toEqual(initial(9));
  });
});
