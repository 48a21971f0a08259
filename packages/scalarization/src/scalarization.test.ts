import { type GradientStrategy, integrateMatrix, type Json } from '@multigrad/core/strategy';
import { expectVector } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cosmos,
  dwa,
  famo,
  gls,
  go4align,
  imtlL,
  pbi,
  plugins,
  randomLossWeighting,
  smoothTchebycheff,
  uncertaintyWeighting,
} from './index.ts';
import { meansOfGroups } from './k-means.ts';

const names = ['a', 'b', 'c'];
const losses = [0.7, 2, 1.3];

function weightsOf(strategy: GradientStrategy, given = losses, state?: Json): Float64Array {
  const objectives = names.slice(0, given.length);
  const rows = given.map(() => [1]);
  return integrateMatrix(strategy, rows, {
    objectives,
    losses: given,
    ...(state === undefined ? {} : { state }),
  }).weights;
}

/** Weights of a scalarisation are its derivatives by the losses. */
function expectDerivatives(
  strategy: GradientStrategy,
  value: (losses: readonly number[]) => number,
): void {
  const step = 1e-6;
  const slopes = losses.map((_, k) => {
    const moved = (by: number) => losses.map((loss, j) => (j === k ? loss + by : loss));
    return (value(moved(step)) - value(moved(-step))) / (2 * step);
  });
  expectVector(weightsOf(strategy), slopes, 1e-8);
}

describe('scalarisations of the losses alone', () => {
  const p = [0.5, 1, 2];
  const preference = { a: 0.5, b: 1, c: 2 };
  const z = [0.1, 0.2, 0];
  const reference = { a: 0.1, b: 0.2 };

  it('gls is the geometric mean', () => {
    expectDerivatives(gls(), (l) => (l[0]! * l[1]! * l[2]!) ** (1 / 3));
    expectVector(weightsOf(gls(), [1e-300, 1e300]), [0.5e300, 0.5e-300], 1e288);
    expectVector(weightsOf(gls(), [3]), [1], 1e-15);
    expect(() => weightsOf(gls(), [1, -2])).toThrow(
      'The loss of objective `b` should be > 0, because `gls` takes its logarithm. Found -2.',
    );
  });

  it('smooth Tchebycheff is a smooth maximum', () => {
    const mu = 0.3;
    expectDerivatives(
      smoothTchebycheff({ mu, preference, reference }),
      (l) =>
        mu * Math.log(l.reduce((sum, loss, k) => sum + Math.exp((p[k]! * (loss - z[k]!)) / mu), 0)),
    );
    expectVector(weightsOf(smoothTchebycheff({ mu: 1e-3 }), [5, 900, 2]), [0, 1 / 3, 0], 1e-15);
    expectVector(weightsOf(smoothTchebycheff(), [-5]), [1], 0);
  });

  it('pbi goes along a ray and towards it', () => {
    const q = p.map((value) => value / Math.hypot(...p));
    expectDerivatives(pbi({ theta: 3, preference, reference }), (l) => {
      const from = l.map((loss, k) => loss - z[k]!);
      const along = from.reduce((sum, value, k) => sum + value * q[k]!, 0);
      return along + 3 * Math.hypot(...from.map((value, k) => value - along * q[k]!));
    });
    expectVector(weightsOf(pbi(), [2, 2]), [Math.SQRT1_2, Math.SQRT1_2], 1e-15);
    expectVector(weightsOf(pbi(), [3]), [1], 0);
    expectVector(weightsOf(pbi({ preference: { a: 0 } }), [3]), [0], 0);
  });

  it('cosmos takes the cosine off the sum', () => {
    const length = Math.hypot(...p);
    expectDerivatives(cosmos({ mu: 2, preference }), (l) => {
      const sum = l.reduce((total, loss, k) => total + loss * p[k]!, 0);
      return sum - (2 * sum) / length / Math.hypot(...l);
    });
    expectVector(weightsOf(cosmos(), [0, 0]), [0.5, 0.5], 0);
    expectVector(weightsOf(cosmos(), [4]), [1], 1e-15);
  });
});

describe('trained weights', () => {
  it.each([
    [
      'uncertainty weighting',
      uncertaintyWeighting,
      -0.5,
      (s: number, l: number) => (l * Math.exp(-s)) / 2 + s / 2,
    ],
    ['IMTL-L', imtlL, 0, (s: number, l: number) => Math.exp(s) * l - s],
  ] as const)('%s descends on its own objective', (_, make, start, value) => {
    const strategy = make({ learningRate: 0.1 });
    const first = integrateMatrix(strategy, [[1], [1]], {
      objectives: ['a', 'b'],
      losses: [3, 0.2],
    });
    [3, 0.2].forEach((loss, k) => {
      const slope = (value(start + 1e-6, loss) - value(start - 1e-6, loss)) / 2e-6;
      expect(first.state[['a', 'b'][k]!]).toBeCloseTo(start - 0.1 * slope, 7);
      const weight = (value(start, loss + 1e-6) - value(start, loss - 1e-6)) / 2e-6;
      expect(first.weights[k]).toBeCloseTo(weight, 7);
    });
    const alone = integrateMatrix(strategy, [[1]], {
      objectives: ['b'],
      losses: [0.2],
      state: JSON.parse(JSON.stringify(first.state)) as typeof first.state,
    });
    expect(alone.state['a']).toBe(first.state['a']);
  });

  it('rest where the papers say, and stay finite', () => {
    let uncertainty: Json = {};
    let impartial: Json = {};
    for (let step = 0; step < 4000; step += 1) {
      const options = { objectives: ['a'], losses: [4] };
      uncertainty = integrateMatrix(uncertaintyWeighting({ learningRate: 0.02 }), [[1]], {
        ...options,
        state: uncertainty as Record<string, number>,
      }).state;
      impartial = integrateMatrix(imtlL({ learningRate: 0.02 }), [[1]], {
        ...options,
        state: impartial as Record<string, number>,
      }).state;
    }
    expectVector(
      weightsOf(uncertaintyWeighting() as GradientStrategy, [4], uncertainty),
      [1 / 8],
      1e-9,
    );
    expectVector(weightsOf(imtlL() as GradientStrategy, [4], impartial), [1 / 4], 1e-9);
    const { state } = integrateMatrix(imtlL({ learningRate: 1e9 }), [[1]], { losses: [0] });
    expect(weightsOf(imtlL() as GradientStrategy, [1], { a: state['0']! })[0]).toBeLessThan(3e38);
  });
});

describe('dwa', () => {
  it('weighs by how losses fell from epoch to epoch, from the third on', () => {
    const strategy = dwa({ temperature: 0.5 });
    let state = strategy.init({ key: 'run', objectives: names, tensors: [] });
    const end = (epoch: number[]) => {
      state = JSON.parse(
        JSON.stringify(strategy.onEpochEnd!(Float64Array.from(epoch), ['a', 'b'], state)),
      ) as typeof state;
      return [...strategy.integrate({ objectives: ['a', 'b'] } as never, state).weights];
    };
    expect(end([9, 9])).toEqual([1, 1]);
    expectVector(end([4.5, 9]), [2 / (1 + Math.E), (2 * Math.E) / (1 + Math.E)], 1e-14);
    expectVector(end([4.5, 9]), [1, 1], 1e-14);
    expect(() => end([0, 1])).toThrow(
      'The loss of objective `a` should be > 0, because `dwa` divides by it. Found 0.',
    );
  });
});

describe('famo', () => {
  it('does what its algorithm says over several steps', () => {
    const strategy = famo();
    let state = strategy.init({ key: 'run', objectives: ['a', 'b'], tensors: [] });
    const xi = [0, 0];
    const m = [0, 0];
    const v = [0, 0];
    for (let step = 1; step <= 4; step += 1) {
      const [before, after] = [
        [2 / step, 1],
        [1.5 / step, 0.99],
      ];
      const result = integrateMatrix(strategy, [[1], [1]], {
        objectives: ['a', 'b'],
        losses: before,
        state,
      });
      const total = Math.exp(xi[0]!) + Math.exp(xi[1]!);
      const share = xi.map((x) => Math.exp(x) / total);
      const parts = share.map((x, k) => x / before[k]!);
      expectVector(
        result.weights,
        parts.map((part) => part / (parts[0]! + parts[1]!)),
        1e-7,
      );
      state = JSON.parse(
        JSON.stringify(strategy.onStepEnd!(Float64Array.from(after), ['a', 'b'], result.state)),
      ) as typeof state;
      const delta = before.map((loss, k) => Math.log(loss) - Math.log(after[k]!));
      const mean = share[0]! * delta[0]! + share[1]! * delta[1]!;
      xi.forEach((x, k) => {
        const g = share[k]! * (delta[k]! - mean) + 1e-3 * x;
        m[k] = 0.9 * m[k]! + 0.1 * g;
        v[k] = 0.999 * v[k]! + 0.001 * g * g;
        xi[k] =
          x -
          (0.025 * (m[k]! / (1 - 0.9 ** step))) / (Math.sqrt(v[k]! / (1 - 0.999 ** step)) + 1e-8);
      });
      expectVector([state.logits['a']!, state.logits['b']!], xi, 1e-5);
    }
    // The objective that fell less weighs more.
    expect(state.logits['b']!).toBeGreaterThan(state.logits['a']!);
  });

  it('takes a loss of zero and refuses one below', () => {
    expectVector(weightsOf(famo() as GradientStrategy, [0, 1]), [1, 0], 1e-7);
    expect(() => weightsOf(famo() as GradientStrategy, [1, -1])).toThrow(
      'The loss of objective `b` should be >= 0',
    );
  });
});

describe('smooth Tchebycheff with a warm-up', () => {
  const start = { key: 'run', objectives: ['a', 'b'], tensors: [] };

  it('trains logarithms, then a smooth maximum of the losses over those of one epoch', () => {
    const mu = 0.4;
    const strategy = smoothTchebycheff({ mu, warmupEpochs: 1 });
    let state = strategy.init(start);
    const end = (epoch: readonly number[], objectives = ['a', 'b']) => {
      const next = strategy.onEpochEnd!(Float64Array.from(epoch), objectives, state);
      state = JSON.parse(JSON.stringify(next)) as typeof state;
    };
    const weights = () => weightsOf(strategy as GradientStrategy, [0.7, 2], state);
    expectVector(weights(), [1 / 0.7, 1 / 2], 1e-15);
    end([9, 9]);
    expectVector(weights(), [1 / 0.7, 1 / 2], 1e-15);
    end([2, 5]);
    const value = ([a, b]: readonly [number, number]) =>
      2 * mu * Math.log((a / 2) ** (1 / mu) + (b / 5) ** (1 / mu));
    const slopes = [
      (value([0.7 + 1e-6, 2]) - value([0.7 - 1e-6, 2])) / 2e-6,
      (value([0.7, 2 + 1e-6]) - value([0.7, 2 - 1e-6])) / 2e-6,
    ];
    expectVector(weights(), slopes, 1e-8);
    // The epoch is chosen once.
    end([1, 1]);
    expectVector(weights(), slopes, 1e-8);
  });

  it('gives an objective that comes later epochs of its own', () => {
    const strategy = smoothTchebycheff({ warmupEpochs: 0 });
    let state = strategy.onEpochEnd!(Float64Array.of(2), ['a'], strategy.init(start));
    expectVector(weightsOf(strategy as GradientStrategy, [4], state), [1 / 4], 1e-15);
    expectVector(weightsOf(strategy as GradientStrategy, [4, 5], state), [1 / 4, 1 / 5], 1e-15);
    state = strategy.onEpochEnd!(Float64Array.of(1, 5), ['a', 'b'], state);
    // Both are normalised now: 4 / 2 and 5 / 5 are 2 to 1.
    expectVector(
      weightsOf(strategy as GradientStrategy, [4, 5], state),
      [1 / 3, (2 * (1 / 3)) / 5],
      1e-15,
    );
  });

  it('refuses what its form has not', () => {
    expect(() => smoothTchebycheff({ warmupEpochs: 4, preference: { a: 1 } })).toThrow(
      'Option `preference` of `smooth-tchebycheff` should be left out beside `warmupEpochs`',
    );
    const strategy = smoothTchebycheff({ warmupEpochs: 4 }) as GradientStrategy;
    expect(() => weightsOf(strategy, [1, 0])).toThrow('The loss of objective `b` should be > 0');
  });
});

describe('go4align', () => {
  /** The least cost of any partition of so many groups at most. */
  function leastCost(values: readonly number[], groups: number): number {
    const cost = (members: readonly (readonly number[])[]) =>
      members.reduce((sum, own) => {
        const mean = own.reduce((a, b) => a + b, 0) / Math.max(1, own.length);
        return sum + own.reduce((part, value) => part + (value - mean) ** 2, 0);
      }, 0);
    const grow = (at: number, members: readonly (readonly number[])[]): number =>
      at === values.length
        ? cost(members)
        : Math.min(
            ...members.map((_, group) =>
              grow(
                at + 1,
                members.map((own, index) => (index === group ? [...own, values[at]!] : own)),
              ),
            ),
          );
    return grow(
      0,
      Array.from({ length: groups }, () => []),
    );
  }

  it('finds the best partition, whatever the numbers', () => {
    const number = fc.oneof(fc.nat(4), fc.double({ min: 0, max: 1e3, noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(number, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 4 }),
        (values, groups) => {
          const means = meansOfGroups(Float64Array.from(values), groups);
          const cost = values.reduce((sum, value, k) => sum + (value - means[k]!) ** 2, 0);
          expect(cost).toBeCloseTo(leastCost(values, groups), 6);
          expect(new Set(means).size).toBeLessThanOrEqual(Math.max(groups, 1));
        },
      ),
    );
    expectVector(
      meansOfGroups(Float64Array.of(1e300, 1.2e300, 1), 2),
      [1.1e300, 1.1e300, 1],
      1e285,
    );
  });

  it('keeps the indicator of an objective that is absent, and the sum of those present', () => {
    const strategy = go4align({ stepSize: 0.5, groups: 3 });
    const step = (objectives: readonly string[], given: readonly number[], state: Json) =>
      integrateMatrix(
        strategy,
        given.map(() => [1]),
        { objectives, losses: given, state: state as Record<string, number> },
      ).state;
    const first = step(names, [1, 2, 3], {});
    const second = step(['a', 'b'], [2, 1], first);
    expect(second['c']).toBe(first['c']);
    const sum = (state: Readonly<Record<string, number>>) =>
      Math.exp(state['a']!) + Math.exp(state['b']!);
    expect(sum(second)).toBeCloseTo(sum(first), 12);
    expect(() => weightsOf(go4align() as GradientStrategy, [1, 0])).toThrow('divides by it');
  });
});

describe('losses that are no numbers', () => {
  it.each([NaN, Infinity])('never reach a state: %s', (loss) => {
    for (const plugin of plugins) {
      const strategy = plugin.create();
      const objectives = ['a', 'b'];
      const given = { objectives, losses: [1, loss] };
      expect(() => integrateMatrix(strategy, [[1], [1]], given)).toThrow('should be finite');
      const { state } = integrateMatrix(strategy, [[1], [1]], { objectives, losses: [1, 2] });
      const values = Float64Array.of(1, loss);
      for (const hook of ['onStepEnd', 'onEpochEnd'] as const) {
        if (strategy[hook] === undefined) continue;
        expect(() => strategy[hook]!(values, objectives, state)).toThrow('should be finite');
      }
    }
  });
});

describe('randomLossWeighting', () => {
  it('sums to K, differs from step to step, and goes on from its state', () => {
    const strategy = randomLossWeighting({ seed: 4 });
    const first = integrateMatrix(strategy, [[1], [1], [1]]);
    expect(first.weights.reduce((a, b) => a + b)).toBeCloseTo(3, 12);
    const next = integrateMatrix(strategy, [[1], [1], [1]], { state: first.state });
    expect([...next.weights]).not.toEqual([...first.weights]);
    expect(integrateMatrix(randomLossWeighting({ seed: 4 }), [[1], [1], [1]]).weights).toEqual(
      first.weights,
    );
  });
});

describe('plugins', () => {
  it('make strategies of their names, with checked options', () => {
    expect(plugins.map(({ name }) => name)).toEqual([
      'uncertainty-weighting',
      'dwa',
      'famo',
      'gls',
      'smooth-tchebycheff',
      'imtl-l',
      'random-loss-weighting',
      'pbi',
      'cosmos',
      'go4align',
    ]);
    for (const plugin of plugins) {
      expect(plugin.create().name).toBe(plugin.name);
      expect(plugin.create().needs.gradients).toBe('none');
      expect(() => plugin.create({ nonsense: 1 } as object)).toThrow(`\`${plugin.name}\``);
    }
  });
});
