import {
  assertStrategy,
  type Gramian,
  type GradientStrategy,
  type GroupGradients,
  groupGradients,
  type Json,
  MultigradError,
  type Needs,
} from '@multigrad/core/strategy';

/**
 * Checks that a value is a strategy whose answer is a weight per objective and nothing else, which is what wrappers can
 * work on.
 *
 * @throws MultigradError `incompatible-strategy` for a value that is no strategy, `unsupported` for strategies that
 *   read single coordinates, keep a memory or look at several batches
 */
export function assertWeighing(wrapper: string, strategy: GradientStrategy): void {
  assertStrategy(strategy);
  const { gradients, memory, batches = 1 } = strategy.needs;
  const found =
    gradients === 'rows'
      ? 'reads single coordinates of the gradients'
      : memory !== undefined
        ? 'keeps a memory'
        : batches > 1
          ? `looks at ${batches} batches`
          : null;
  if (found === null) return;
  throw new MultigradError(
    'unsupported',
    `\`${wrapper}\` should wrap a strategy whose update is a weighted sum of the step's gradients. ` +
      `Found \`${strategy.name}\`, which ${found}.`,
  );
}

/** The needs of a strategy at the next step. */
export function needsAt(strategy: GradientStrategy, state: Json): Needs {
  return strategy.needsNow?.(state) ?? strategy.needs;
}

/** The parts of a wrapped strategy's view of a group that may differ from the wrapper's. */
export interface InnerView {
  readonly objectives: readonly string[];
  readonly gramianOf: (whole: Gramian) => Gramian;
  readonly lossesOf: (losses: Float64Array) => Float64Array;
}

/** The wrapped strategy's view: it has the parts that this strategy's needs name, made of the wrapper's view. */
export function innerView(
  strategy: GradientStrategy,
  state: Json,
  outer: GroupGradients,
  { objectives, gramianOf, lossesOf }: InnerView,
): GroupGradients {
  const { gradients, losses } = needsAt(strategy, state);
  return groupGradients({
    strategy: strategy.name,
    objectives,
    step: outer.step,
    ...(gradients === 'none' ? {} : { gramian: gramianOf(outer.gramian) }),
    ...(gradients === 'tensor-gramians'
      ? {
          tensorGramians: new Map(
            Array.from(outer.tensorGramians, ([name, part]) => [name, gramianOf(part)]),
          ),
        }
      : {}),
    ...(losses?.startsWith('now') === true ? { losses: lossesOf(outer.losses) } : {}),
  });
}
