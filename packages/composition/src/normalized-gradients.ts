import { type GradientStrategy, type Gramian, type Json, norms } from '@multigrad/core/strategy';
import { innerHooks, type Wrapped } from './inner-hooks.ts';
import { assertWeighing, innerView, needsAt } from './inner-strategy.ts';

/** What {@link normalizedGradients} remembers: the state of the strategy it wraps. */
export type NormalizedGradientsState = Wrapped;

/**
 * The strategy applied to gradients of unit length: its update is `Σ_k w_k g_k / |g_k|`, with the weights `w` that it
 * finds for the gradients `g_k / |g_k|`.
 *
 * What an objective's loss is measured in no longer matters, and the update has the size of unit vectors, so the learning
 * rate sets the length of a step. A gradient that is zero stays zero. With `tensor-gramians` the lengths are those of
 * the whole group's gradients.
 *
 * @param strategy - any whose update is a weighted sum of the step's gradients, loss-only ones too
 * @throws MultigradError `unsupported` for a strategy that works by coordinate, remembers gradients or looks at several
 *   batches
 *
 * @example
 * ```ts
 * import { normalizedGradients } from '@multigrad/composition';
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { sum } from '@multigrad/strategy-sum';
 *
 * const strategy = normalizedGradients(sum());
 * console.log(integrateMatrix(strategy, [[3, 4], [0, 100]]).update); // 0.6, 1.8
 * ```
 */
export function normalizedGradients(
  strategy: GradientStrategy,
): GradientStrategy<NormalizedGradientsState> {
  assertWeighing('normalizedGradients', strategy);
  const withGradients = (needs: GradientStrategy['needs']): GradientStrategy['needs'] =>
    needs.gradients === 'none' ? { ...needs, gradients: 'gramian' } : needs;
  return {
    specification: 1,
    name: `normalized-${strategy.name}`,
    needs: withGradients(strategy.needs),
    needsNow: ({ inner }) => withGradients(needsAt(strategy, inner)),
    init: (group) => ({ inner: strategy.init(group) }),
    integrate(gradients, { inner }) {
      const factors = norms(gradients.gramian).map((length) => (length > 0 ? 1 / length : 0));
      const view = innerView(strategy, inner, gradients, {
        objectives: gradients.objectives,
        gramianOf: (gramian) => scaled(gramian, factors),
        lossesOf: (losses) => losses,
      });
      const integration = strategy.integrate(view, inner);
      const { tensorWeights } = integration;
      const divided = (weights: Float64Array): Float64Array =>
        weights.map((weight, k) => weight * factors[k]!);
      return {
        ...integration,
        weights: divided(integration.weights),
        ...(tensorWeights === undefined
          ? {}
          : {
              tensorWeights: new Map(
                Array.from(tensorWeights, ([name, weights]) => [name, divided(weights)]),
              ),
            }),
        state: { inner: integration.state },
      };
    },
    ...innerHooks<{ readonly inner: Json }>(strategy),
  };
}

/** The Gramian of the rows times their factors. */
function scaled({ size, values, relativeError }: Gramian, factors: Float64Array): Gramian {
  return {
    size,
    values: values.map(
      (value, at) => value * factors[Math.floor(at / size)]! * factors[at % size]!,
    ),
    // Two products and two quotients of rounded roots.
    relativeError: relativeError + 2 ** -50,
  };
}
