import {
  dispose,
  type NamedTensorMap,
  Optimizer,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core';
import type { Json } from '../base/json.ts';
import type { PartSnapshot } from './part-snapshot.ts';
import { type Combinations, materialise } from '../rows/combination.ts';
import { isKnown, restoreSlots, slotDifferences, slotsOf } from './optimizer-slots.ts';

/** An optimizer of your own whose state checkpoints can hold. */
export interface ResumableOptimizer {
  /** Its name in checkpoints. A checkpoint of another kind is refused. */
  readonly kind: string;
  /**
   * Changes the variables.
   *
   * @param gradients - by variable name, null for variables without one at this step; they stay the trainer's
   */
  applyGradients(gradients: NamedTensorMap): void | Promise<void>;
  /** Returns its state, for a checkpoint. */
  snapshot(): PartSnapshot;
  /** Replaces its state by what `snapshot` returned; the tensors stay the caller's. @throws MultigradError when it does not fit */
  restore(snapshot: PartSnapshot): void;
  /** The reasons why a snapshot cannot be restored, a sentence each; changes nothing. */
  differences?(snapshot: PartSnapshot): readonly string[];
  /** Sets the learning rate, for schedules. */
  setLearningRate?(rate: number): void;
  /** Returns its options: several ranks check that theirs are the same. */
  describe?(): Json;
}

/** An optimizer that adds up the objectives' gradients itself: the combined gradient need not exist. */
export interface CombiningOptimizer extends ResumableOptimizer {
  /**
   * Changes the variables.
   *
   * @param combinations - by variable name, null for variables without a gradient at this step; they stay the trainer's
   * @param weightDecay - the trainer's coupled weight decay
   */
  applyCombinations(combinations: Combinations, weightDecay: number): void;
}

/** A function without state that changes the variables by their gradients. */
export type GradientFunction = (gradients: NamedTensorMap) => void | Promise<void>;

/** Every kind of optimizer that a trainer takes. */
export type AnyOptimizer = Optimizer | ResumableOptimizer | CombiningOptimizer | GradientFunction;

/**
 * Lets an optimizer change the variables by gradients. One that combines gets rows and weights; for every other the
 * gradients are added up first.
 *
 * @param combinations - by variable name; they stay the caller's
 * @param variables - all variables of the optimizer, in the order in which it knows their slots
 * @param weightDecay - adds `weightDecay · variable` to each gradient
 */
export async function applyOptimizer(
  optimizer: AnyOptimizer,
  combinations: Combinations,
  variables: ReadonlyMap<string, Variable>,
  weightDecay: number,
): Promise<void> {
  if (isCombining(optimizer)) {
    optimizer.applyCombinations(byOwnName(combinations, variables), weightDecay);
    return;
  }
  const made: Tensor[] = [];
  try {
    // A list: the keys of an object come in another order where names are numbers, and slots are known by position.
    const gradients = Array.from(variables, ([name, variable]) => {
      const combination = combinations.get(name) ?? null;
      if (combination === null) return { name: variable.name, tensor: null };
      const tensor = materialise(combination, variable, weightDecay);
      made.push(tensor);
      return { name: variable.name, tensor };
    });
    if (optimizer instanceof Optimizer && !isResumable(optimizer)) {
      optimizer.applyGradients(gradients as { name: string; tensor: Tensor }[]);
      return;
    }
    const record = Object.fromEntries(
      gradients.map(({ name, tensor }) => [name, tensor]),
    ) as NamedTensorMap;
    if (isResumable(optimizer)) await optimizer.applyGradients(record);
    else await optimizer(record);
  } finally {
    dispose(made);
  }
}

/** Replaces the names of this run by the names that the variables have in TensorFlow.js. */
function byOwnName<T>(
  named: ReadonlyMap<string, T>,
  variables: ReadonlyMap<string, Variable>,
): Map<string, T> {
  return new Map(Array.from(named, ([name, value]) => [variables.get(name)!.name, value]));
}

/** The name of an optimizer in checkpoints. */
export function optimizerKind(optimizer: AnyOptimizer): string {
  if (isResumable(optimizer)) return optimizer.kind;
  return optimizer instanceof Optimizer ? optimizer.getClassName() : 'function';
}

/** The options of an optimizer, as far as it tells them. */
export function describeOptimizer(optimizer: AnyOptimizer): Json {
  if (isResumable(optimizer)) return optimizer.describe?.() ?? null;
  return optimizer instanceof Optimizer ? optimizer.getConfig() : null;
}

/**
 * Returns the state of an optimizer; its tensors have names of the form `slot/variable`.
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

/** The reasons why a snapshot cannot be restored into an optimizer, a sentence each. */
export function optimizerDifferences(
  optimizer: AnyOptimizer,
  variables: ReadonlyMap<string, Variable>,
  snapshot: PartSnapshot,
): string[] {
  if (isResumable(optimizer)) return [...(optimizer.differences?.(snapshot) ?? [])];
  if (optimizer instanceof Optimizer) return slotDifferences(optimizer, variables, snapshot);
  return Array.from(snapshot.tensors.keys(), (name) => `a function has no slot \`${name}\``);
}

/** Replaces the state of an optimizer by a snapshot for which `optimizerDifferences` is empty. */
export function restoreOptimizer(
  optimizer: AnyOptimizer,
  variables: ReadonlyMap<string, Variable>,
  snapshot: PartSnapshot,
): void {
  if (isResumable(optimizer)) optimizer.restore(snapshot);
  else if (optimizer instanceof Optimizer) restoreSlots(optimizer, [...variables.keys()], snapshot);
}

export { isKnown };

/** Whether an optimizer has a state that checkpoints can hold by its own methods. */
export function isResumable(optimizer: AnyOptimizer): optimizer is ResumableOptimizer {
  return 'snapshot' in optimizer && 'restore' in optimizer;
}

/** Whether an optimizer adds up the objectives' gradients itself. */
export function isCombining(optimizer: AnyOptimizer): optimizer is CombiningOptimizer {
  return isResumable(optimizer) && 'applyCombinations' in optimizer;
}
