import type { GradientStrategy } from '../contract/strategy.ts';
import type { GroupState, IntegrationState } from '../network/integration-state.ts';
import type { Pass } from '../network/passes.ts';
import type { RunVariable } from '../network/run-variables.ts';
import type { Collective } from '../ranks/collective.ts';
import type { ClipOptions } from '../rows/clip-gradients.ts';
import type { GradientMemory } from '../rows/gradient-memory.ts';
import type { BackwardPlans } from '../tape/backward-plans.ts';
import type { TensorBag } from '../tape/ownership.ts';

/** The input that all parts of a step share. */
export interface StepContext {
  /** The forward passes, one for each independent batch, all with the same objectives; at least one. */
  readonly passes: readonly [Pass, ...Pass[]];
  /** Names of the objectives that are present on any rank; all lists by objective have this order. */
  readonly objectives: readonly string[];
  readonly variables: readonly RunVariable[];
  readonly strategy: GradientStrategy;
  readonly state: IntegrationState;
  readonly singles: 'plain' | 'weighted';
  readonly lossWeights: Readonly<Partial<Record<string, number>>>;
  /** A power of two by which losses, and so the gradients of backward passes, are too large. */
  readonly lossScale: number;
  /** Limits on each objective's gradient before the strategy sees it. */
  readonly clipObjectives: ClipOptions | undefined;
  /** Whether to measure norms and cosines for reports alone. */
  readonly observe: boolean;
  /** The memory before this step; undefined where the needs of the strategy name none. */
  readonly memory: GradientMemory | undefined;
  /** The owner of the tensors that the step makes. */
  readonly bag: TensorBag;
  /** Whether operations of the forward pass add up over the ranks. */
  readonly sumsWithin: boolean;
  /** Plans of earlier steps' backward passes; null where each step makes them anew. */
  readonly plans: BackwardPlans | null;
  /** The ranks that take the step together. */
  readonly collective: Collective;
}

/** A group with those of its objectives that are present at this step. */
export interface PresentGroup {
  readonly group: GroupState;
  /** Indices into the names of all objectives present. */
  readonly objectives: readonly number[];
  readonly names: readonly string[];
}

/** Lists the groups that an objective present at this step reaches. */
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

/** Whether the strategy is asked about a group. If not, its one objective keeps its plain gradient. */
export function isConsulted(
  { singles }: Pick<StepContext, 'singles'>,
  { names }: Pick<PresentGroup, 'names'>,
): boolean {
  return names.length > 1 || singles === 'weighted';
}
