import {
  type GradientStrategy,
  type Json,
  MultigradError,
  type OptionsOf,
  partOfGramian,
  resolveOptions,
} from '@multigrad/core/strategy';
import { assertWeighing, innerView, needsAt } from './inner-strategy.ts';

/** Descriptions of the options of {@link onlyObjectives}. */
const onlyObjectivesOptions = {
  /**
   * Weight of the objectives that the strategy does not see: 1 adds their gradients as they are, 0 leaves them out.
   *
   * @defaultValue 1
   */
  others: {
    kind: 'number',
    default: 1,
    description:
      'Weight of the objectives that the strategy does not see, any number: 1 adds their gradients as they are, 0 leaves them out.',
  },
} as const;

/** Options of {@link onlyObjectives}. */
export interface OnlyObjectivesOptions extends OptionsOf<typeof onlyObjectivesOptions> {}

/** State of {@link onlyObjectives}: that of the strategy it wraps. */
export type OnlyObjectivesState = { readonly inner: Json };

/**
 * The strategy applied to some objectives only: it sees and weighs the named ones, and the others have a fixed weight.
 *
 * Use it to keep a regulariser or an auxiliary loss out of the strategy:
 * `onlyObjectives(pcgrad(), ['depth', 'normals'])` adds every other gradient as it is. At a step where no named
 * objective is present the strategy is not asked; a group without named objectives is weighed by `others` alone.
 *
 * @param strategy - any whose update is a weighted sum of the step's gradients
 * @param objectives - the names that the strategy sees, at least one, each once
 * @throws MultigradError `invalid-argument` for no names or one given twice, `invalid-option` for options that do not fit,
 *   `unsupported` for a strategy that reads single coordinates, keeps a memory or looks at several batches
 *
 * @example
 * ```ts
 * import { onlyObjectives } from '@multigrad/composition';
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { mgda } from '@multigrad/strategy-mgda';
 *
 * const strategy = onlyObjectives(mgda(), ['depth', 'normals'], { others: 0.1 });
 * const { weights } = integrateMatrix(strategy, [[1, 0], [5, 5], [0, 1]], {
 *   objectives: ['depth', 'smoothness', 'normals'],
 * });
 * console.log(weights); // 0.5, 0.1, 0.5
 * ```
 */
export function onlyObjectives(
  strategy: GradientStrategy,
  objectives: readonly string[],
  options: OnlyObjectivesOptions = {},
): GradientStrategy<OnlyObjectivesState> {
  const { others } = resolveOptions<OnlyObjectivesOptions>(
    'only-objectives',
    onlyObjectivesOptions,
    options,
  );
  assertWeighing('onlyObjectives', strategy);
  const seen = new Set(objectives);
  if (seen.size === 0 || seen.size !== objectives.length) {
    throw new MultigradError(
      'invalid-argument',
      `Argument \`objectives\` should hold at least one name, each once. Found [${objectives.join(', ')}].`,
    );
  }
  /** The state after a hook of the strategy was called with the losses that it sees. */
  const afterHook = (
    hook: 'onStepEnd' | 'onEpochEnd',
    losses: Float64Array,
    names: readonly string[],
    { inner }: OnlyObjectivesState,
  ): OnlyObjectivesState => {
    const places = placesOf(names, seen);
    if (places.length === 0) return { inner };
    const own = places.map((at) => names[at]!);
    return { inner: strategy[hook]?.(pick(losses, places), own, inner) ?? inner };
  };
  return {
    specification: 1,
    name: `partial-${strategy.name}`,
    needs: strategy.needs,
    needsNow: ({ inner }) => needsAt(strategy, inner),
    init: (group) => ({
      inner: strategy.init({
        ...group,
        objectives: group.objectives.filter((name) => seen.has(name)),
      }),
    }),
    integrate(gradients, { inner }) {
      const places = placesOf(gradients.objectives, seen);
      const spread = (weights: Float64Array): Float64Array => {
        const all = new Float64Array(gradients.objectives.length).fill(others);
        places.forEach((at, k) => (all[at] = weights[k]!));
        return all;
      };
      if (places.length === 0) return { weights: spread(new Float64Array(0)), state: { inner } };
      const view = innerView(strategy, inner, gradients, {
        objectives: places.map((at) => gradients.objectives[at]!),
        gramianOf: (gramian) => partOfGramian(gramian, places),
        lossesOf: (losses) => pick(losses, places),
      });
      const integration = strategy.integrate(view, inner);
      const { tensorWeights } = integration;
      return {
        ...integration,
        weights: spread(integration.weights),
        ...(tensorWeights === undefined
          ? {}
          : {
              tensorWeights: new Map(
                Array.from(tensorWeights, ([name, weights]) => [name, spread(weights)]),
              ),
            }),
        state: { inner: integration.state },
      };
    },
    onStepEnd: (...given) => afterHook('onStepEnd', ...given),
    onEpochEnd: (...given) => afterHook('onEpochEnd', ...given),
  };
}

function placesOf(names: readonly string[], seen: ReadonlySet<string>): number[] {
  return [...names.keys()].filter((k) => seen.has(names[k]!));
}

function pick(values: Float64Array, places: readonly number[]): Float64Array {
  return Float64Array.from(places, (at) => values[at]!);
}
