import { scalarsOf, sortNumbers, type StepNumbers } from './numbers.ts';
import { scalar } from '@tensorflow/tfjs-core';
import type { GradientStrategy } from '../contract/strategy.ts';
import type { Combination } from '../rows/combination.ts';
import type { ClipOptions } from '../rows/clip-gradients.ts';
import type { GradientMemory } from '../rows/gradient-memory.ts';
import type { Agreement } from './agreement.ts';
import type { RunVariable } from '../network/run-variables.ts';
import type { GroupState, IntegrationState } from '../network/integration-state.ts';
import type { ForwardResult, PresentObjective } from '../network/objectives.ts';
import { checkLosses } from '../contract/check-losses.ts';
import type { ObservedGraph } from '../network/observe-graph.ts';
import { readTogether } from '../tape/read-back.ts';
import type { GroupReport } from './report.ts';
import type { SweepSeed, Tape } from '../tape/tape.ts';
import type { TensorBag } from '../tape/tensor-bag.ts';

/** What every plan for a step works with. */
export interface StepContext {
  readonly tape: Tape<ForwardResult>;
  /** Of the independent batches beyond the first, with the same objectives. */
  readonly furtherTapes: readonly Tape<ForwardResult>[];
  /** What the strategy remembers of gradients; undefined where its needs name no memory. */
  readonly memory: GradientMemory | undefined;
  readonly graph: ObservedGraph;
  readonly variables: readonly RunVariable[];
  readonly strategy: GradientStrategy;
  readonly state: IntegrationState;
  readonly singles: 'plain' | 'weighted';
  readonly lossWeights: Readonly<Partial<Record<string, number>>>;
  /** A power of two: swept gradients are this many times the gradients. */
  readonly lossScale: number;
  /** Limits on each objective's gradient before the strategy sees it. */
  readonly clipObjectives: ClipOptions | undefined;
  readonly bag: TensorBag;
  /** What the ranks that train together have agreed on; null in a process by itself. */
  readonly agreement: Agreement | null;
}

/** What a plan brings about. */
export interface StepOutcome {
  /**
   * By variable name, not added up yet; null where nothing reached the variable. The rows are the bag's: whoever wants
   * them longer takes them from it.
   */
  readonly combinations: ReadonlyMap<string, Combination | null>;
  readonly numbers: StepNumbers;
  readonly groups: readonly GroupReport[];
  readonly state: IntegrationState;
  /** The remembered vectors after this step, which the caller owns; null where there are none. */
  readonly memory: GradientMemory | null;
  readonly sweeps: number;
  /** Whether norms and cosines were measured although the strategy did not see them. */
  readonly observed: boolean;
}

/** Reads losses and metrics, of all ranks where there are several; throws when a loss is not finite. */
export async function readNumbers(context: StepContext): Promise<StepNumbers> {
  const { objectives } = context.tape.value;
  const numbers =
    context.agreement?.batches[0]!.numbers ??
    sortNumbers(objectives, await readTogether(scalarsOf(objectives)));
  checkLosses(context.graph.objectives, numbers.losses, context.state.step);
  return numbers;
}

/**
 * Where the sweep of one objective starts, scaled by its loss weight, a further factor and the loss scale, and among
 * several ranks by this one's part of the samples: the ranks' gradients then add up to that of the mean over all samples.
 */
export function seedOf(
  context: StepContext,
  objective: PresentObjective,
  factor = 1,
  batch = 0,
): SweepSeed {
  const { agreement, lossScale } = context;
  const share =
    agreement === null ? 1 : (agreement.batches[batch]!.shares.get(objective.name) ?? 0);
  const weight = factor * share * lossWeightOf(context, objective.name) * lossScale;
  if (weight === 1) return { tensor: objective.loss };
  return { tensor: objective.loss, gradient: context.bag.keep(scalar(weight)) };
}

/** The factor that the caller put on an objective's loss. */
export function lossWeightOf(context: StepContext, objective: string): number {
  return context.lossWeights[objective] ?? 1;
}

/** A group as it is at one step: its objectives and variables that take part. */
export interface PresentGroup {
  readonly group: GroupState;
  /** Indices into the objectives present at this step. */
  readonly objectives: readonly number[];
  readonly names: readonly string[];
}

/** The groups that at least one objective present reaches. */
export function presentGroups({ graph, state }: StepContext): PresentGroup[] {
  return state.groups.flatMap((group) => {
    const objectives = group.objectives
      .map((name) => graph.objectives.indexOf(name))
      .filter((index) => index >= 0);
    if (objectives.length === 0) return [];
    return [{ group, objectives, names: objectives.map((index) => graph.objectives[index]!) }];
  });
}

/** Whether the strategy decides about a group, or its one objective keeps its plain gradient. */
export function isConsulted(
  { singles }: Pick<StepContext, 'singles'>,
  { names }: Pick<PresentGroup, 'names'>,
): boolean {
  return names.length > 1 || singles === 'weighted';
}
