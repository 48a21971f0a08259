import {
  type GradientStrategy,
  type Json,
  type OptionsOf,
  resolveOptions,
} from '@multigrad/core/strategy';
import { innerHooks } from './inner-hooks.ts';
import { assertWeighing, needsAt } from './inner-strategy.ts';
import { noWeights, recall, remember, type LastWeights } from './named-weights.ts';

/** Descriptions of the options of {@link weightMomentum}. */
const weightMomentumOptions = {
  /** Share of the previous weights in the new ones, 0 … 1; 1 keeps the first. @defaultValue 0.9 */
  alpha: {
    kind: 'number',
    default: 0.9,
    minimum: 0,
    maximum: 1,
    description:
      'Share of the previous weights in the new ones, 0 to 1: 0 takes the new weights alone, 1 keeps the first ones.',
  },
} as const;

/** Options of {@link weightMomentum}. */
export interface WeightMomentumOptions extends OptionsOf<typeof weightMomentumOptions> {}

/** State of {@link weightMomentum}: the last weights and the state of the strategy it wraps. */
export type WeightMomentumState = {
  readonly inner: Json;
  readonly last: LastWeights;
};

/**
 * CR-MOGM, momentum on the weights: `λ_t = α λ_(t−1) + (1 − α) λ̂_t`, with λ̂ the weights that the strategy finds.
 *
 * Weights that follow the noise of batches make the direction's error correlate with the gradients'; averaged weights do
 * so less. The first weights are taken as they are, so an objective seen for the first time starts with its own; one
 * that was absent goes on from its last. Where the strategy weighs tensors differently, so does the average.
 *
 * @remarks
 * The update may conflict with an objective even where the wrapped strategy's never does.
 *
 * @param strategy - any whose update is a weighted sum of the step's gradients
 * @throws MultigradError `invalid-option` for α outside its range, `unsupported` for a strategy that reads single coordinates,
 *   keeps a memory or looks at several batches
 *
 * @example
 * ```ts
 * import { weightMomentum } from '@multigrad/composition';
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { mgda } from '@multigrad/strategy-mgda';
 *
 * const strategy = weightMomentum(mgda());
 * const { state } = integrateMatrix(strategy, [[1, 0], [0, 1]]); // 0.5, 0.5
 * console.log(integrateMatrix(strategy, [[1, 0], [0, 2]], { state }).weights); // 0.53, 0.47
 * ```
 *
 * @see S. Zhou, W. Zhang, J. Jiang, W. Zhong, J. Gu, W. Zhu, "On the Convergence of Stochastic Multi-Objective Gradient
 * Manipulation and Beyond", NeurIPS 2022, Algorithm 2.
 */
export function weightMomentum(
  strategy: GradientStrategy,
  options: WeightMomentumOptions = {},
): GradientStrategy<WeightMomentumState> {
  const { alpha } = resolveOptions<WeightMomentumOptions>(
    'weight-momentum',
    weightMomentumOptions,
    options,
  );
  assertWeighing('weightMomentum', strategy);
  return {
    specification: 1,
    name: `momentum-${strategy.name}`,
    needs: strategy.needs,
    needsNow: ({ inner }) => needsAt(strategy, inner),
    init: (group) => ({ inner: strategy.init(group), last: noWeights }),
    integrate(gradients, { inner, last }) {
      const { objectives } = gradients;
      const found = strategy.integrate(gradients, inner);
      const averaged = (tensor: string | null, weights: Float64Array): Float64Array => {
        const before = recall(last, tensor, objectives);
        return weights.map((weight, k) => {
          const old = before[k] ?? null;
          return old === null ? weight : alpha * old + (1 - alpha) * weight;
        });
      };
      // The averages of tensors whose weights differed before still differ for some steps.
      const tensors = new Set([
        ...(found.tensorWeights?.keys() ?? []),
        ...Object.keys(last.tensors),
      ]);
      const integration = {
        ...found,
        weights: averaged(null, found.weights),
        ...(tensors.size === 0
          ? {}
          : {
              tensorWeights: new Map(
                Array.from(tensors, (tensor) => [
                  tensor,
                  averaged(tensor, found.tensorWeights?.get(tensor) ?? found.weights),
                ]),
              ),
            }),
      };
      return {
        ...integration,
        state: { inner: found.state, last: remember(last, objectives, integration) },
      };
    },
    ...innerHooks<WeightMomentumState>(strategy),
  };
}
