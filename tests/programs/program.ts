import { type Random, randomState, resumeRandom } from '@multigrad/core/strategy';
import type * as tf from '@tensorflow/tfjs-core';
import type * as tfl from '@tensorflow/tfjs-layers';

/** A training loop as TensorFlow.js's examples have it, on data that it makes itself. */
export interface Program {
  readonly name: string;
  /** Trains, disposes of all that it made, and returns the losses on the way. */
  readonly run: () => Promise<number[]>;
  /** The same computation by operations that TensorFlow.js's own cpu backend can differentiate, where `run` has others. */
  readonly onStock?: () => Promise<number[]>;
}

/** Seeded numbers for a program's data. */
export function dataRandom(program: string): Random {
  return resumeRandom(randomState(1, program));
}

/** Rows of standard normal numbers. */
export function normalRows(random: Random, rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, () => Array.from({ length: columns }, () => random.normal()));
}

/** Options of `fit` that all programs share. */
export const quietly = { verbose: 0, yieldEvery: 'never' } as const;

/** The losses of a history, epoch by epoch. */
export function lossesOf({ history }: tfl.History): number[] {
  return ['loss', 'val_loss'].flatMap((name) => (history[name] ?? []) as number[]);
}

/** Runs `train` and disposes of the model with its optimizer, and of the tensors. */
export async function trained(
  model: tfl.LayersModel,
  optimizer: tf.Optimizer,
  tensors: readonly tf.Tensor[],
  train: () => Promise<number[]>,
): Promise<number[]> {
  const losses = await train();
  tensors.forEach((tensor) => tensor.dispose());
  model.dispose();
  optimizer.dispose();
  return losses;
}
