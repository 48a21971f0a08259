import { own } from '../base/own.ts';
import type { Scalar } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import type { PresentObjective } from './objectives.ts';

/** Losses and metrics of the objectives present, read back. */
export interface StepNumbers {
  readonly losses: Float64Array;
  readonly metrics: readonly Readonly<Record<string, number>>[];
}

/** The scalars of a forward pass, in the order that `sortNumbers` expects. */
export function scalarsOf(objectives: readonly PresentObjective[]): Scalar[] {
  return objectives.flatMap(({ loss, metrics }) => [loss, ...Object.values(metrics)]);
}

/** The tensors among the objectives' numbers of samples. */
export function sampleTensors(objectives: readonly PresentObjective[]): Scalar[] {
  return objectives.flatMap(({ samples }) =>
    samples === null || typeof samples === 'number' ? [] : [samples],
  );
}

/**
 * The number of samples over which each objective's loss and metrics are means.
 *
 * @param read - values read back from `sampleTensors`
 * @param size - size of the batch, for objectives without a number of their own; 0 where this rank has no sample: then no
 *   objective has one
 * @throws MultigradError `invalid-objective` for a number below 0
 */
export function samplesOf(
  objectives: readonly PresentObjective[],
  read: readonly Float32Array[],
  size: number,
): number[] {
  if (size === 0) return objectives.map(() => 0);
  const remaining = read.values();
  return objectives.map(({ name, samples }) => {
    const count =
      samples === null ? size : typeof samples === 'number' ? samples : remaining.next().value![0]!;
    if (Number.isFinite(count) && count >= 0) return count;
    throw new MultigradError(
      'invalid-objective',
      `The number of samples of objective \`${name}\` should be finite and >= 0. Found ${count}.`,
    );
  });
}

/** Sorts the values read back from `scalarsOf` into losses and metrics. */
export function sortNumbers(
  objectives: readonly PresentObjective[],
  values: readonly Float32Array[],
): StepNumbers {
  const remaining = values.map((value) => value[0]!).values();
  const next = (): number => remaining.next().value!;
  const losses = new Float64Array(objectives.length);
  const metrics = objectives.map((objective, k) => {
    losses[k] = next();
    return Object.fromEntries(Object.keys(objective.metrics).map((name) => [name, next()]));
  });
  return { losses, metrics };
}

/** The means of losses and metrics over several batches of the same objectives. */
export function meanNumbers(batches: readonly StepNumbers[]): StepNumbers {
  const [first] = batches;
  if (batches.length === 1) return first!;
  const mean = (of: (numbers: StepNumbers) => number): number =>
    batches.reduce((sum, numbers) => sum + of(numbers), 0) / batches.length;
  return {
    losses: first!.losses.map((_, k) => mean(({ losses }) => losses[k]!)),
    metrics: first!.metrics.map((ofOne, k) =>
      Object.fromEntries(
        Object.keys(ofOne).map((name) => [name, mean(({ metrics }) => own(metrics[k]!, name)!)]),
      ),
    ),
  };
}
