import { type NamedTensorMap, Optimizer, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import type { PartSnapshot } from './part-snapshot.ts';
import type { NamedGradients } from '../rows/clip-gradients.ts';
import type { Combination } from '../rows/combination.ts';
import { isKnown, restoreSlots, slotDifferences, slotsOf } from './optimizer-slots.ts';

/** An optimizer of one's own that checkpoints can hold. */
export interface ResumableOptimizer {
  /** What a checkpoint calls it; one of another kind is refused. */
  readonly kind: string;
  /**
   * Changes the variables.
   *
   * @param gradients - by variable name, null for variables without one at this step; they stay the trainer's
   */
  applyGradients(gradients: NamedTensorMap): void | Promise<void>;
  /** What it remembers. */
  snapshot(): PartSnapshot;
  /** Goes on from what `snapshot` returned; the tensors stay the caller's. @throws MultigradError when it does not fit */
  restore(snapshot: PartSnapshot): void;
  /** What keeps it from going on from a snapshot, a sentence each; it changes nothing. */
  differences?(snapshot: PartSnapshot): readonly string[];
  /** For learning-rate schedules. */
  setLearningRate?(rate: number): void;
}

/** One that adds up the objectives' gradients itself: the combined gradient need not exist. */
export interface CombiningOptimizer extends ResumableOptimizer {
  /**
   * Changes the variables.
   *
   * @param combinations - by variable name, null for variables without a gradient at this step; they stay the trainer's
   * @param weightDecay - the trainer's coupled weight decay
   */
  applyCombinations(
    combinations: ReadonlyMap<string, Combination | null>,
    weightDecay: number,
  ): void;
}

/** A function that changes the variables by their gradients, and remembers nothing. */
export type GradientFunction = (gradients: NamedTensorMap) => void | Promise<void>;

/** Whatever turns gradients into changes of variables. */
export type AnyOptimizer = Optimizer | ResumableOptimizer | GradientFunction;

/**
 * Lets an optimizer have its turn.
 *
 * @param gradients - by the run's names
 * @param variables - all that the optimizer changes, in the order in which it knows them
 */
export async function applyOptimizer(
  optimizer: AnyOptimizer,
  gradients: NamedGradients,
  variables: ReadonlyMap<string, Variable>,
): Promise<void> {
  if (optimizer instanceof Optimizer && !isResumable(optimizer)) {
    // A list: the keys of an object come in another order where names are numbers, and slots are known by position.
    const list = Array.from(variables, ([name, own]) => {
      return { name: own.name, tensor: gradients.get(name) ?? null };
    });
    optimizer.applyGradients(list as { name: string; tensor: Tensor }[]);
    return;
  }
  const record = Object.fromEntries(
    Array.from(variables, ([name, own]) => [own.name, gradients.get(name) ?? null]),
  ) as NamedTensorMap;
  if (isResumable(optimizer)) await optimizer.applyGradients(record);
  else await optimizer(record);
}

/** What is known by the run's names, by those that TensorFlow.js knows. */
export function byOwnName<T>(
  named: ReadonlyMap<string, T>,
  variables: ReadonlyMap<string, Variable>,
): Map<string, T> {
  return new Map(Array.from(named, ([name, value]) => [variables.get(name)!.name, value]));
}

/** What a checkpoint calls an optimizer. */
export function optimizerKind(optimizer: AnyOptimizer): string {
  if (isResumable(optimizer)) return optimizer.kind;
  return optimizer instanceof Optimizer ? optimizer.getClassName() : 'function';
}

/**
 * What an optimizer remembers, its tensors as `slot/variable`.
 *
 * @throws MultigradError `unsupported` for a kind of `tf.Optimizer` whose slots are not known
 */
export function snapshotOptimizer(
  optimizer: AnyOptimizer,
  variables: ReadonlyMap<string, Variable>,
): PartSnapshot {
  if (isResumable(optimizer)) return optimizer.snapshot();
  if (optimizer instanceof Optimizer) return slotsOf(optimizer, [...variables.keys()]);
  return { values: null, tensors: new Map() };
}

/** What keeps an optimizer from going on from a snapshot, a sentence each. */
export function optimizerDifferences(
  optimizer: AnyOptimizer,
  variables: ReadonlyMap<string, Variable>,
  snapshot: PartSnapshot,
): string[] {
  if (isResumable(optimizer)) return [...(optimizer.differences?.(snapshot) ?? [])];
  if (optimizer instanceof Optimizer) return slotDifferences(optimizer, variables, snapshot);
  return Array.from(snapshot.tensors.keys(), (name) => `a function has no slot \`${name}\``);
}

/** Goes on from a snapshot without differences. */
export function restoreOptimizer(
  optimizer: AnyOptimizer,
  variables: ReadonlyMap<string, Variable>,
  snapshot: PartSnapshot,
): void {
  if (isResumable(optimizer)) optimizer.restore(snapshot);
  else if (optimizer instanceof Optimizer) restoreSlots(optimizer, [...variables.keys()], snapshot);
}

export { isKnown };

export function isResumable(optimizer: AnyOptimizer): optimizer is ResumableOptimizer {
  return 'snapshot' in optimizer && 'restore' in optimizer;
}

export function isCombining(optimizer: AnyOptimizer): optimizer is CombiningOptimizer {
  return isResumable(optimizer) && 'applyCombinations' in optimizer;
}
