import type { GradientStrategy } from '../contract/strategy.ts';
import type { GroupState, IntegrationState } from '../network/integration-state.ts';
import type { Pass } from '../network/passes.ts';
import type { RunVariable } from '../network/run-variables.ts';
import type { Collective } from '../ranks/collective.ts';
import type { ClipOptions } from '../rows/clip-gradients.ts';
import type { GradientMemory } from '../rows/gradient-memory.ts';
import type { TensorBag } from '../tape/ownership.ts';

/** What every part of a step works with. */
export interface StepContext {
  /** The forward passes, one for each independent batch, all with the same objectives; at least one. */
  readonly passes: readonly [Pass, ...Pass[]];
  /** Names of the objectives present, on any rank, in the order of all numbers by objective. */
  readonly objectives: readonly string[];
  readonly variables: readonly RunVariable[];
  readonly strategy: GradientStrategy;
  readonly state: IntegrationState;
  readonly singles: 'plain' | 'weighted';
  readonly lossWeights: Readonly<Partial<Record<string, number>>>;
  /** A power of two: gradients on the way are this many times the gradients. */
  readonly lossScale: number;
  /** Limits on each objective's gradient before the strategy sees it. */
  readonly clipObjectives: ClipOptions | undefined;
  /** Whether to measure norms and cosines although the strategy does not need them. */
  readonly observe: boolean;
  /** What the strategy remembers of gradients; undefined where its needs name no memory. */
  readonly memory: GradientMemory | undefined;
  /** Owns the tensors of the step. */
  readonly bag: TensorBag;
  /** The ranks that take the step together. */
  readonly collective: Collective;
}

/** A group as it is at one step: its objectives that are present. */
export interface PresentGroup {
  readonly group: GroupState;
  /** Indices into the objectives present at this step. */
  readonly objectives: readonly number[];
  readonly names: readonly string[];
}

/** The groups that at least one objective present reaches. */
export function presentGroups({
  objectives: present,
  state,
}: Pick<StepContext, 'objectives' | 'state'>): PresentGroup[] {
  return state.groups.flatMap((group) => {
    const objectives = group.objectives
      .map((name) => present.indexOf(name))
      .filter((index) => index >= 0);
    if (objectives.length === 0) return [];
    return [{ group, objectives, names: objectives.map((index) => present[index]!) }];
  });
}

/** Whether the strategy decides about a group; else its one objective keeps its plain gradient. */
export function isConsulted(
  { singles }: Pick<StepContext, 'singles'>,
  { names }: Pick<PresentGroup, 'names'>,
): boolean {
  return names.length > 1 || singles === 'weighted';
}
