import { dispose, type Tensor, Variable } from '@tensorflow/tfjs-core';
import { clipGradients, scaledClip } from '../rows/clip-gradients.ts';
import { clipSlices } from '../rows/clip-slices.ts';
import type { GroupState } from '../network/integration-state.ts';
import type { PresentGroup, StepContext } from './step-context.ts';
import { seedOf } from './step-context.ts';
import type { ForwardResult } from '../network/objectives.ts';
import { scatterRows } from './shared-rows.ts';
import type { Tape } from '../tape/tape.ts';

/** A tensor at which gradients are integrated: a variable, or a feature that stands for those behind it. */
export interface Target {
  readonly name: string;
  readonly tensor: Tensor;
}

/**
 * The vectors of one tensor of a group that an update may combine, null for zero: K gradients of each batch, then K
 * remembered ones.
 */
export interface TensorVectors {
  readonly tensor: string;
  readonly rows: readonly (Tensor | null)[];
}

/** All vectors of a group, tensor by tensor. */
export interface GroupVectors {
  readonly present: PresentGroup;
  readonly tensors: readonly TensorVectors[];
  /** Number of vectors, a multiple of the number of objectives present. */
  readonly count: number;
  /** What each vector is multiplied by, a power of two: the loss scale, and 1 for remembered vectors. */
  readonly scales: readonly number[];
}

/** The tensors at which gradients meet: each group's variables, or its cut tensor. */
export function targetsOf({ variables, graph, state }: StepContext): Target[] {
  const behindFeature = new Set(
    state.groups.flatMap(({ feature, variables: names }) => (feature === null ? [] : names)),
  );
  return [
    ...graph.features.map(({ name, tensor }) => ({ name: targetName(name), tensor })),
    ...variables
      .filter(({ name }) => !behindFeature.has(name))
      .map(({ name, variable }) => ({ name, tensor: variable })),
  ];
}

/** Features and variables may bear the same name; targets must not. */
export function targetName(feature: string): string {
  return `feature:${feature}`;
}

/** Gradients by batch, objective and target. */
type Swept = readonly (readonly (readonly (Tensor | null)[])[])[];

/** Gradients by batch, objective and target; of variables that several ranks train together this rank's slices, flat. */
export class SweptRows {
  readonly #indices: ReadonlyMap<string, number>;
  readonly #batches: Swept;

  private constructor(targets: readonly Target[], batches: Swept) {
    this.#indices = new Map(targets.map(({ name }, index) => [name, index]));
    this.#batches = batches;
  }

  static async sweep(context: StepContext, targets: readonly Target[]): Promise<SweptRows> {
    const swept = [context.tape, ...context.furtherTapes].map((tape, batch) =>
      sweepObjectives(context, tape, batch, targets),
    );
    return new SweptRows(targets, await shareRows(context, targets, swept));
  }

  get(batch: number, objective: number, target: string): Tensor | null {
    return this.#batches[batch]?.[objective]?.[this.#indices.get(target) ?? -1] ?? null;
  }
}

function sweepObjectives(
  context: StepContext,
  tape: Tape<ForwardResult>,
  batch: number,
  targets: readonly Target[],
): readonly (readonly (Tensor | null)[])[] {
  const paths = tape.paths(targets.map(({ tensor }) => tensor));
  // By name, in the order of the first batch.
  return context.graph.objectives.map((name) => {
    const objective = tape.value.objectives.find((candidate) => candidate.name === name);
    // Only another rank has samples of it.
    if (objective === undefined) return targets.map(() => null);
    const swept = tape.sweep([seedOf(context, objective, 1, batch)], paths);
    return context.bag.keepAll(
      context.agreement === null ? clipSwept(context, targets, swept) : swept,
    );
  });
}

/** The gradients of one objective within the limits for them, in place of those handed in. */
function clipSwept(
  { state, clipObjectives, lossScale }: StepContext,
  targets: readonly Target[],
  swept: readonly (Tensor | null)[],
): readonly (Tensor | null)[] {
  if (clipObjectives === undefined) return swept;
  const byName = new Map(targets.map(({ name }, index) => [name, swept[index]!]));
  try {
    const limits = scaledClip(clipObjectives, lossScale);
    const clipped = clipGradients(byName, state.groups.map(targetNames), limits);
    return targets.map(({ name }) => clipped.get(name) ?? null);
  } finally {
    dispose(swept.filter((gradient) => gradient !== null));
  }
}

/** The same of what several ranks share. */
async function clipShared(
  { state, clipObjectives, lossScale, agreement, bag }: StepContext,
  targets: readonly Target[],
  shared: Swept,
): Promise<Swept> {
  if (clipObjectives === undefined || agreement === null) return shared;
  const limits = scaledClip(clipObjectives, lossScale);
  const clipped: (readonly (Tensor | null)[])[][] = [];
  for (const objectives of shared) {
    const own: (readonly (Tensor | null)[])[] = [];
    for (const rows of objectives) {
      const byName = new Map(targets.map(({ name }, index) => [name, rows[index]!]));
      const groups = state.groups.map(targetNames);
      const within = await clipSlices(byName, groups, limits, agreement.exchange);
      own.push(bag.keepAll(targets.map(({ name }) => within.get(name) ?? null)));
    }
    clipped.push(own);
  }
  return clipped;
}

/** Adds up the gradients of variables over the ranks, variable by variable. Those at features are each rank's own. */
async function shareRows(
  context: StepContext,
  targets: readonly Target[],
  swept: Swept,
): Promise<Swept> {
  const { agreement, bag } = context;
  if (agreement === null) return swept;
  const places = targets.flatMap(({ name, tensor }, target) =>
    tensor instanceof Variable
      ? swept.flatMap((objectives, batch) => {
          const { graph } = agreement.batches[batch]!;
          return [...objectives.keys()]
            .filter((objective) => graph.reach.get(name)!.has(graph.objectives[objective]!))
            .map((objective) => ({ target, batch, objective, size: tensor.size }));
        })
      : [],
  );
  const slices = await scatterRows(
    agreement.exchange,
    places.map(({ target, batch, objective, size }) => ({
      gradient: swept[batch]![objective]![target] ?? null,
      size,
    })),
    bag,
  );
  const shared = swept.map((objectives) =>
    objectives.map((rows) =>
      rows.map((row, target) => (targets[target]!.tensor instanceof Variable ? null : row)),
    ),
  );
  places.forEach(({ target, batch, objective }, index) => {
    shared[batch]![objective]![target] = slices[index]!;
  });
  return clipShared(context, targets, shared);
}

/** The vectors of a group: gradients of every batch, and remembered ones where the strategy is asked for weights. */
export function vectorsOf(
  { furtherTapes, memory, lossScale }: StepContext,
  present: PresentGroup,
  swept: SweptRows,
  withMemory: boolean,
): GroupVectors {
  const { group, objectives, names } = present;
  const batches = 1 + furtherTapes.length;
  const count = names.length * (batches + (withMemory ? 1 : 0));
  const tensors = targetNames(group).map((tensor) => {
    const rows: (Tensor | null)[] = [];
    for (let batch = 0; batch < batches; batch += 1) {
      for (const objective of objectives) rows.push(swept.get(batch, objective, tensor));
    }
    if (withMemory) for (const name of names) rows.push(memory?.get(tensor, name) ?? null);
    return { tensor, rows };
  });
  return {
    present,
    tensors,
    count,
    scales: Array.from({ length: count }, (_, k) => (k < names.length * batches ? lossScale : 1)),
  };
}

function targetNames(group: GroupState): readonly string[] {
  return group.feature === null ? group.variables : [targetName(group.feature)];
}
