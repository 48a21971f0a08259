import {
  type GradientStrategy,
  type Json,
  MultigradError,
  type OptionsOf,
  resolveOptions,
} from '@multigrad/core/strategy';
import { innerHooks } from './inner-hooks.ts';
import { assertWeighing, needsAt } from './inner-strategy.ts';
import { noWeights, recall, remember, type LastWeights } from './named-weights.ts';

/** Descriptions of the options of {@link refreshedEvery}. */
const refreshedEveryOptions = {
  /** Steps from one refresh to the next, an integer >= 1; 1 is the strategy itself. */
  steps: {
    kind: 'number',
    default: 1,
    minimum: 1,
    integer: true,
    description: 'Steps from one refresh to the next, an integer of 1 or more.',
  },
} as const;

/** Options of {@link refreshedEvery}. */
export interface RefreshedEveryOptions extends Required<OptionsOf<typeof refreshedEveryOptions>> {}

/** State of {@link refreshedEvery}. */
export type RefreshedEveryState = {
  readonly inner: Json;
  /** Steps until the strategy is asked again. */
  readonly left: number;
  /** Objectives of the group that have no weight yet. */
  readonly unseen: readonly string[];
  readonly last: LastWeights;
};

/**
 * The strategy asked once every `steps` steps; its weights serve the steps until the next time, as in PSMGD.
 *
 * Between refreshes no inner products are computed or read back, and where one scalar loss expresses the weights of all
 * groups the step costs one backward pass, as plain training does. Until every objective of the group has been seen each
 * step is a refresh; one that is absent at a later refresh keeps its weight. Steps that reuse weights are noted `reused`.
 *
 * @param strategy - any whose update is a weighted sum of the step's gradients
 * @throws MultigradError `invalid-option` unless `steps` is an integer >= 1, `unsupported` for a strategy that reads single
 *   coordinates, keeps a memory or looks at several batches; `integrate` throws `invalid-objective` for an objective
 *   that is not one of the group
 *
 * @example
 * ```ts
 * import { refreshedEvery } from '@multigrad/composition';
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { mgda } from '@multigrad/strategy-mgda';
 *
 * const strategy = refreshedEvery(mgda(), { steps: 4 });
 * const { state } = integrateMatrix(strategy, [[1, 0], [0, 2]]);
 * console.log(strategy.needsNow?.(state)); // { gradients: 'none' }
 * console.log(integrateMatrix(strategy, [[7, 7], [1, 0]], { state }).weights); // 0.8, 0.2
 * ```
 *
 * @see M. Xu, P. Ju, J. Liu, H. Yang, "PSMGD: Periodic Stochastic Multi-Gradient Descent for Fast Multi-Objective
 * Optimization", AAAI 2025, Algorithm 1. https://arxiv.org/abs/2412.10961
 */
export function refreshedEvery(
  strategy: GradientStrategy,
  options: RefreshedEveryOptions,
): GradientStrategy<RefreshedEveryState> {
  const { steps } = resolveOptions<RefreshedEveryOptions>(
    'refreshed-every',
    refreshedEveryOptions,
    options,
  );
  assertWeighing('refreshedEvery', strategy);
  const isReused = ({ left, unseen }: RefreshedEveryState): boolean =>
    left > 0 && unseen.length === 0;
  return {
    specification: 1,
    name: `refreshed-${strategy.name}`,
    needs: strategy.needs,
    needsNow: (state) => (isReused(state) ? { gradients: 'none' } : needsAt(strategy, state.inner)),
    init: (group) => ({
      inner: strategy.init(group),
      left: 0,
      unseen: group.objectives,
      last: noWeights,
    }),
    integrate(gradients, state) {
      const { objectives } = gradients;
      if (isReused(state)) {
        return {
          ...reuse(state.last, objectives),
          note: 'reused',
          state: { ...state, left: state.left - 1 },
        };
      }
      const integration = strategy.integrate(gradients, state.inner);
      return {
        ...integration,
        state: {
          inner: integration.state,
          left: steps - 1,
          unseen: state.unseen.filter((name) => !objectives.includes(name)),
          last: remember(state.last, objectives, integration),
        },
      };
    },
    ...innerHooks<RefreshedEveryState>(strategy),
  };
}

function reuse(
  last: LastWeights,
  objectives: readonly string[],
): { weights: Float64Array; tensorWeights?: ReadonlyMap<string, Float64Array> } {
  const weightsOf = (tensor: string | null): Float64Array =>
    Float64Array.from(recall(last, tensor, objectives), (weight, k) => {
      if (weight !== null) return weight;
      throw new MultigradError(
        'invalid-objective',
        `Weights can be reused for the group's objectives: ${Object.keys(last.weights).join(', ')}. ` +
          `Found \`${objectives[k]!}\`, which the group did not name.`,
      );
    });
  const tensors = Object.keys(last.tensors);
  const weights = weightsOf(null);
  if (tensors.length === 0) return { weights };
  return { weights, tensorWeights: new Map(tensors.map((name) => [name, weightsOf(name)])) };
}
