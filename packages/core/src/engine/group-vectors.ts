import type { Tensor } from '@tensorflow/tfjs-core';
import type { GroupState } from './integration-state.ts';
import type { PresentGroup, StepContext } from './step-context.ts';
import { seedOf } from './step-context.ts';
import type { ForwardResult } from './objectives.ts';
import type { Tape } from './tape.ts';

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
      .map((variable) => ({ name: variable.name, tensor: variable })),
  ];
}

/** Features and variables may bear the same name; targets must not. */
export function targetName(feature: string): string {
  return `feature:${feature}`;
}

/** Gradients by batch, objective and target. */
export class SweptRows {
  readonly #indices: ReadonlyMap<string, number>;
  readonly #batches: readonly (readonly (readonly (Tensor | null)[])[])[];

  constructor(context: StepContext, targets: readonly Target[]) {
    this.#indices = new Map(targets.map(({ name }, index) => [name, index]));
    const tensors = targets.map(({ tensor }) => tensor);
    this.#batches = [context.tape, ...context.furtherTapes].map((tape) =>
      sweepObjectives(context, tape, tensors),
    );
  }

  get(batch: number, objective: number, target: string): Tensor | null {
    return this.#batches[batch]?.[objective]?.[this.#indices.get(target) ?? -1] ?? null;
  }
}

function sweepObjectives(
  context: StepContext,
  tape: Tape<ForwardResult>,
  targets: readonly Tensor[],
): readonly (readonly (Tensor | null)[])[] {
  const paths = tape.paths(targets);
  // By name, in the order of the first batch.
  return context.graph.objectives.map((name) => {
    const objective = tape.value.objectives.find((candidate) => candidate.name === name)!;
    return context.bag.keepAll(tape.sweep([seedOf(context, objective)], paths));
  });
}

/** The vectors of a group: gradients of every batch, and remembered ones where the strategy is asked for weights. */
export function vectorsOf(
  { furtherTapes, memory }: StepContext,
  present: PresentGroup,
  swept: SweptRows,
  withMemory: boolean,
): GroupVectors {
  const { group, objectives, names } = present;
  const batches = 1 + furtherTapes.length;
  const tensors = targetNames(group).map((tensor) => {
    const rows: (Tensor | null)[] = [];
    for (let batch = 0; batch < batches; batch += 1) {
      for (const objective of objectives) rows.push(swept.get(batch, objective, tensor));
    }
    if (withMemory) for (const name of names) rows.push(memory?.get(tensor, name) ?? null);
    return { tensor, rows };
  });
  return { present, tensors, count: names.length * (batches + (withMemory ? 1 : 0)) };
}

function targetNames(group: GroupState): readonly string[] {
  return group.feature === null ? group.variables : [targetName(group.feature)];
}
