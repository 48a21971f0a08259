import type { GradientStrategy } from '../contract/strategy.ts';

/** Strategies for the engine's own tests: the simplest of each kind of needs. */

/** Weights given by name, without a look at anything. */
export function fixedWeights(weights: Readonly<Record<string, number>> = {}): GradientStrategy {
  return {
    specification: 1,
    name: 'fixed-weights',
    needs: { gradients: 'none' },
    init: () => null,
    integrate: ({ objectives }, state) => ({
      weights: Float64Array.from(objectives, (name) => weights[name] ?? 1),
      state,
    }),
  };
}

/** Each gradient scaled to unit length; counts its steps in its state. */
export function unitSum(): GradientStrategy<number> {
  return {
    specification: 1,
    name: 'unit-sum',
    needs: { gradients: 'gramian' },
    init: () => 0,
    integrate: ({ objectives, gramian }, state) => ({
      weights: Float64Array.from(
        objectives,
        (_, k) => 1 / Math.sqrt(gramian.values[k * gramian.size + k]!),
      ),
      state: state + 1,
    }),
  };
}

/** Weight 1 for each tensor's first objective, 2 for its second, and so on, by tensor. */
export function rankByTensor(): GradientStrategy {
  return {
    specification: 1,
    name: 'rank-by-tensor',
    needs: { gradients: 'tensor-gramians', losses: 'now' },
    init: () => null,
    integrate: ({ objectives, tensorGramians, losses }, state) => ({
      weights: Float64Array.from(losses),
      tensorWeights: new Map(
        Array.from(tensorGramians.keys(), (name, t) => [
          name,
          Float64Array.from(objectives, (_, k) => k + 1 + 10 * t),
        ]),
      ),
      state,
    }),
  };
}
