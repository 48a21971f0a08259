import '@tensorflow/tfjs-layers';
import { type BackendReport, useBackend } from '@multigrad/backends';
import { integrateGradients, MultiObjectiveTrainer } from '@multigrad/core';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import * as tf from '@tensorflow/tfjs-core';
import * as networks from '../../support/src/networks.ts';
import { disposeOptimizer } from '../../support/src/optimizers.ts';
import { only } from '../../support/src/only.ts';
import { encoders } from './encoders.ts';

/** Numbers of one backend by what they are of, to be compared with another's. */
export interface Results {
  readonly report: BackendReport;
  readonly numbers: Readonly<Record<string, readonly number[]>>;
  /** Tensors, buffers and bytes before and after, by what was done meanwhile. */
  readonly held: Readonly<Record<string, readonly [before: string, after: string]>>;
  /** What was said of a loss, and of a gradient, that is not a number. */
  readonly refused: readonly string[];
}

const { convolutionalNetwork, normalisedNetwork } = networks;
const made = { convolutionalNetwork, normalisedNetwork, encoders };

/**
 * Computes on a backend what all backends should agree on: nothing here depends on the backend.
 *
 * @param operations - operations by themselves, or none where others have looked at them
 */
export async function results(
  name: string,
  operations: Readonly<Record<string, () => tf.Tensor[]>>,
): Promise<Results> {
  const report = await useBackend(name);
  const numbers: Record<string, number[]> = {};
  const held: Record<string, [string, string]> = {};
  const keep = async (key: string, tensor: tf.Tensor): Promise<void> => {
    numbers[key] = Array.from(await tensor.data());
  };
  for (const [operation, compute] of Object.entries(operations)) {
    const before = footprint();
    const tensors = tf.tidy(compute);
    for (const [i, tensor] of tensors.entries()) await keep(`${operation} ${i}`, tensor);
    tf.dispose(tensors);
    held[operation] = [before, footprint()];
  }
  for (const [network, make] of Object.entries(made)) {
    const before = footprint();
    const { variables, losses, dispose } = make();
    for (const objective of ['a', 'b', 'c']) {
      const { gradients } = await integrateGradients(only(objective), losses, variables);
      for (const [i, variable] of variables.entries()) {
        await keep(`${network} ${objective} ${i}`, gradients[variable.name]!);
      }
      tf.dispose(gradients);
    }
    const optimizer = tf.train.momentum(0.01, 0.9);
    const trainer = new MultiObjectiveTrainer({
      objectives: losses,
      variables,
      strategy: mmpareto(),
      optimizer,
    });
    const steps = [];
    for (let step = 0; step < 2; step += 1) steps.push(await trainer.trainOnBatch(null));
    const early = footprint();
    for (let step = 0; step < 3; step += 1) steps.push(await trainer.trainOnBatch(null));
    held[`steps of ${network}`] = [early, footprint()];
    numbers[`${network} losses`] = steps.flatMap((step) => Object.values(step.losses));
    numbers[`${network} weights`] = steps.flatMap(({ groups }) =>
      groups.flatMap(({ weights }) => [...weights]),
    );
    for (const [i, variable] of variables.entries())
      await keep(`${network} trained ${i}`, variable);
    disposeOptimizer(optimizer);
    dispose();
    held[network] = [before, footprint()];
  }
  return { report, numbers, held, refused: await refusals() };
}

/** What the engine says of numbers that are none. */
async function refusals(): Promise<string[]> {
  const { variables, losses, dispose } = networks.convolutionalNetwork();
  const said: string[] = [];
  const poison = tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)([x as tf.Tensor]);
    return { value: tf.clone(x as tf.Tensor), gradFunc: (dy: tf.Tensor) => tf.mul(dy, NaN) };
  });
  for (const spoil of [(c: tf.Scalar) => tf.mul(c, NaN), (c: tf.Scalar) => poison(c)]) {
    try {
      const all = (): object => ({ ...losses(), c: spoil(losses().c) });
      const { gradients } = await integrateGradients(mmpareto(), all as typeof losses, variables);
      tf.dispose(gradients);
      said.push('nothing');
    } catch (error) {
      said.push((error as Error).message);
    }
  }
  dispose();
  return said;
}

function footprint(): string {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  return `${numTensors} tensors, ${numDataBuffers} buffers, ${numBytes} bytes`;
}
