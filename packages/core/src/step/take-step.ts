import { MultigradError } from '../base/errors.ts';
import type { GradientStrategy } from '../contract/strategy.ts';
import { checkBatches, checkCall, checkLossWeights } from '../network/integration-checks.ts';
import type { IntegrationState } from '../network/integration-state.ts';
import type { StepNumbers } from '../network/numbers.ts';
import type { ForwardResult } from '../network/objectives.ts';
import type { RunVariable } from '../network/run-variables.ts';
import type { Collective } from '../ranks/collective.ts';
import { collectiveOf } from '../ranks/rank-collective.ts';
import { checkClip } from '../rows/clip-gradients.ts';
import { GradientMemory } from '../rows/gradient-memory.ts';
import { checkLossScale } from '../rows/loss-scale.ts';
import type { BackwardPlans } from '../tape/backward-plans.ts';
import type { Tape } from '../tape/tape.ts';
import { TensorBag } from '../tape/ownership.ts';
import { ask, askBefore } from './ask.ts';
import { groupingOf, stateOf } from './begin.ts';
import { combineRowsOf, combineWhole } from './combine.ts';
import type { Forward, IntegratedStep, IntegrateOptions } from './integrate-options.ts';
import { meanOf, measure } from './measure.ts';
import { oneScalarOf } from './plan.ts';
import { record } from './record.ts';
import type { Tensor1D } from '@tensorflow/tfjs-core';
import { takeSampleStep } from './take-sample-step.ts';
import { presentGroups, type StepContext } from './step-context.ts';
import { backwardEach, backwardOnce } from './backward.ts';
import { TakenStep } from './taken-step.ts';

/**
 * Takes one step: records the forward passes, makes the backward passes, asks the strategy, and combines the gradients. It
 * does not change variables. Where it throws, it frees all tensors that it made.
 *
 * The caller must hold a claim on the variables, so that no other call changes them meanwhile.
 *
 * @param plans - of the backward passes of earlier steps of this run; null to make those of each step anew
 */
export async function takeStep<Name extends string>(
  strategy: GradientStrategy,
  forward: Forward<Name> | readonly Forward<Name>[],
  variables: readonly RunVariable[],
  options: IntegrateOptions<Name>,
  plans: BackwardPlans | null = null,
): Promise<TakenStep<Name>> {
  const collective = collectiveOf(options.exchange);
  const forwards = typeof forward === 'function' ? [forward] : forward;
  checkArguments(forwards, variables, strategy, options, collective);
  const bag = new TensorBag();
  const tapes: Tape<ForwardResult>[] = [];
  try {
    const recording = {
      forwards,
      variables,
      level: groupingOf(options).level,
      samples: options.samples,
      sumsWithin: options.sumsWithin === true,
    };
    const passes = await record(recording, collective, tapes, bag);
    const state = await stateOf(passes, variables, strategy, options, collective);
    const context = contextOf(passes, state, variables, strategy, options, collective, bag, plans);
    const { losses } = passes[0].tape.value.objectives[0] ?? { losses: null };
    if (losses !== null) return await sampleStep<Name>(context, losses);
    const groups = presentGroups(context);
    const early = await askBefore(context, groups);
    const scalar = oneScalarOf(context, groups, early);
    const rows = await (scalar === null
      ? backwardEach(context, groups)
      : backwardOnce(context, groups, scalar));
    const facts = await measure(context, rows);
    const answers = early ?? (await ask(context, groups, facts));
    const combined =
      scalar === null
        ? await combineRowsOf(context, facts, answers)
        : combineWhole(context, groups, scalar, rows, facts, answers);
    return new TakenStep(
      combined,
      {
        ...byName<Name>(context.objectives, meanOf(facts)),
        groups: combined.groups,
        state: combined.state,
        step: state.step,
        backwardPasses: rows.backwardPasses + combined.backwardPasses,
        observed: scalar !== null && context.observe,
      },
      context,
    );
  } catch (error) {
    bag.dispose();
    throw error;
  } finally {
    // Frees what operations saved before the optimizer runs: it includes clones of the variables.
    for (const tape of tapes) tape.dispose();
  }
}

/** The step where single samples are objectives. */
async function sampleStep<Name extends string>(
  context: StepContext,
  losses: Tensor1D,
): Promise<TakenStep<Name>> {
  const { combined, numbers, backwardPasses } = await takeSampleStep(context, losses);
  return new TakenStep(
    combined,
    {
      ...byName<Name>(context.objectives, numbers),
      groups: combined.groups,
      state: combined.state,
      step: context.state.step,
      backwardPasses,
      observed: context.observe && context.strategy.needs.gradients === 'none',
    },
    context,
  );
}

function checkArguments(
  forwards: readonly Forward[],
  variables: readonly RunVariable[],
  strategy: GradientStrategy,
  options: IntegrateOptions,
  { size }: Collective,
): void {
  checkCall(variables, strategy, groupingOf(options), size > 1);
  checkBatches(strategy, forwards.length);
  checkLossScale('lossScale', options.lossScale ?? 1);
  if (options.clipObjectives !== undefined) checkClip('clipObjectives', options.clipObjectives);
}

function contextOf(
  passes: StepContext['passes'],
  state: IntegrationState,
  variables: readonly RunVariable[],
  strategy: GradientStrategy,
  options: IntegrateOptions,
  collective: Collective,
  bag: TensorBag,
  plans: BackwardPlans | null,
): StepContext {
  const { lossWeights = {}, observe = false, lossScale = 1, clipObjectives } = options;
  checkLossWeights(lossWeights, state.objectives);
  return {
    passes,
    objectives: passes[0].graph.objectives,
    variables,
    strategy,
    state,
    singles: groupingOf(options).singles,
    lossWeights,
    lossScale,
    clipObjectives,
    observe,
    memory: memoryOf(strategy, options),
    bag,
    sumsWithin: options.sumsWithin === true,
    plans,
    collective,
  };
}

/** The memory before this step; at a run's first step an empty one. */
function memoryOf(
  { name, needs }: GradientStrategy,
  { state, memory }: IntegrateOptions,
): GradientMemory | undefined {
  if (needs.memory === undefined) return undefined;
  if (memory !== undefined) return memory;
  if (state === undefined || state.step === 0) return new GradientMemory();
  throw new MultigradError(
    'invalid-argument',
    `Option \`memory\` should be what step ${state.step - 1} returned as \`memory\`: strategy \`${name}\` keeps a memory. ` +
      'Found undefined; an empty `new GradientMemory()` starts from zeros.',
  );
}

function byName<Name extends string>(
  objectives: readonly string[],
  { losses, metrics }: StepNumbers,
): Pick<IntegratedStep<Name>, 'losses' | 'metrics'> {
  const record = <T>(values: ArrayLike<T>): Record<string, T> =>
    Object.fromEntries(objectives.map((name, k) => [name, values[k]!]));
  return {
    losses: record(losses) as Partial<Record<Name, number>>,
    metrics: record(metrics) as Partial<Record<Name, Record<string, number>>>,
  };
}
