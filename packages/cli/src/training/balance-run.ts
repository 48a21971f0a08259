import {
  type Balanced,
  balanced,
  type BalancedNetwork,
  type BalancedObjectives,
  type BalancingMethod,
} from '@multigrad/balancing';
import type { TrainerCallback } from '@multigrad/core';
import { MultigradError, own } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { PreparedExperiment } from '../experiments/prepare.ts';
import type { RunBatches } from './ranks/ranks.ts';

/** How a run is balanced: what its trainer and its `fit` get. */
export interface RunBalance {
  readonly options: Pick<Balanced<tf.NamedTensorMap>['options'], 'lossWeights' | 'modulate'> & {
    readonly objectives: PreparedExperiment['objectives'];
  };
  readonly callbacks: readonly TrainerCallback[];
  readonly train: RunBatches;
  /** Steps of the epoch whose batches were asked for last. */
  readonly steps: () => number;
  dispose(): void;
}

/** A run without a balancing method. */
export function unbalanced(prepared: PreparedExperiment): RunBalance {
  return {
    options: { objectives: (batch, mode) => prepared.objectives(batch, mode) },
    callbacks: [],
    train: (epoch, firstBatch) => prepared.train(epoch, firstBatch),
    steps: () => prepared.stepsPerEpoch,
    dispose: () => undefined,
  };
}

/**
 * Puts a balancing method to work on a run.
 *
 * @throws MultigradError `unsupported` where the method cannot serve the experiment, with the reason
 */
export async function balanceRun(
  method: BalancingMethod,
  prepared: PreparedExperiment,
  seed: number,
): Promise<RunBalance> {
  const { samples, validation } = prepared;
  if (method.needs.validation === true && validation === null) {
    throw cannot(method, 'it needs validation losses, and `validation-size` is 0');
  }
  const balance = balanced(method, prepared.network as BalancedNetwork, {
    objectives: (batch, mode) => prepared.objectives(batch, mode),
    data:
      samples === null
        ? { batches: (epoch) => prepared.train(epoch), count: prepared.stepsPerEpoch }
        : { samples: samples.source, seed },
    ...(validation === null ? {} : { validation }),
  });
  try {
    if (method.draw !== undefined && samples === null) {
      throw cannot(
        method,
        'it draws training samples, and the experiment makes its batches itself',
      );
    }
    if (method.objectives !== undefined) await assertSameObjectives(method, prepared);
  } catch (error) {
    balance.dispose();
    throw error;
  }
  let steps = prepared.stepsPerEpoch;
  return {
    options: balance.options as RunBalance['options'],
    callbacks: [balance.callback],
    train: (epoch, firstBatch) => {
      if (samples === null || method.draw === undefined) return prepared.train(epoch, firstBatch);
      const source = balance.samples(samples.source, epoch);
      const own = source === samples.source;
      const drawn = own ? prepared : samples.inOrder(source);
      steps = drawn.stepsPerEpoch;
      return drawn.train(epoch, firstBatch);
    },
    steps: () => steps,
    dispose: () => balance.dispose(),
  };
}

/**
 * Checks that the experiment's losses are those of its network for the batch's `label`: the method computes them so.
 *
 * @throws MultigradError `unsupported`
 */
async function assertSameObjectives(
  method: BalancingMethod,
  prepared: PreparedExperiment,
): Promise<void> {
  const network = prepared.network as BalancedNetwork;
  for await (const batch of prepared.train(0)) {
    const mode = { training: false, step: 0 };
    try {
      const missing = [...network.modalities, 'label'].find(
        (name) => own(batch, name) === undefined,
      );
      if (missing !== undefined) {
        throw cannot(method, `its batches should have the entry \`${missing}\``);
      }
      const [found, expected] = [
        lossesOf(() => prepared.objectives(batch, mode)),
        lossesOf(() => {
          const logits = network.logits(network.features(batch, mode), mode);
          return network.objectivesFromLogits(logits, own(batch, 'label') as tf.Tensor1D);
        }),
      ];
      for (const name of new Set([...found.keys(), ...expected.keys()])) {
        const [one, other] = [found.get(name) ?? NaN, expected.get(name) ?? NaN];
        if (Math.abs(one - other) <= 1e-4 * Math.abs(other)) continue;
        throw cannot(
          method,
          `the experiment's loss of \`${name}\` should be the network's cross-entropy with \`label\`. Found ${one} and ${other}`,
        );
      }
    } finally {
      tf.dispose(batch);
    }
    return;
  }
}

/** The losses of a forward pass as numbers. */
function lossesOf(forward: () => BalancedObjectives): ReadonlyMap<string, number> {
  const losses = new Map<string, number>();
  tf.tidy(() => {
    for (const [name, { loss }] of Object.entries(forward())) losses.set(name, loss.dataSync()[0]!);
  });
  return losses;
}

function cannot({ name }: BalancingMethod, reason: string): MultigradError {
  return new MultigradError('unsupported', `\`${name}\` cannot balance this training: ${reason}.`);
}
