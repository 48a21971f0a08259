import { randomState, resumeRandom, own } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { PreparedExperiment } from '../experiments/prepare.ts';
import type { LandscapeRecord } from '../runs/analysis-records.ts';

/**
 * Losses on a grid in a plane through the present weights θ: `L(θ + a d₁ + b d₂)` for a and b from −1 to 1.
 *
 * The directions are normal random numbers, filter by filter scaled to the norm of that filter's weights, so that the
 * picture does not depend on how weights are scaled; biases and other vectors stay as they are. Losses are means over
 * training samples in evaluation mode. The weights are afterwards as they were.
 *
 * @param points - grid points along either direction, an odd integer >= 3
 * @param samples - about how many training samples, an integer >= 1: whole batches
 *
 * @see Li, Xu, Taylor, Studer and Goldstein, "Visualizing the Loss Landscape of Neural Nets", NeurIPS 2018
 * (https://arxiv.org/abs/1712.09913), section 4
 */
export async function lossLandscape(
  prepared: PreparedExperiment,
  seed: number,
  points: number,
  samples: number,
  signal: AbortSignal,
): Promise<LandscapeRecord | null> {
  const variables = [...prepared.variables].filter(([, variable]) => variable.rank >= 2);
  const batches = await firstBatches(prepared, samples);
  const centre = variables.map(([, variable]) => variable.clone());
  const [first, second] = [1, 2].map((which) =>
    variables.map(([name, variable]) => direction(variable, [seed, 'landscape', which, name])),
  ) as [tf.Tensor[], tf.Tensor[]];
  const coordinates = Array.from({ length: points }, (_, i) => (2 * i) / (points - 1) - 1);
  const losses = new Map<string, number[][]>();
  try {
    for (const b of coordinates) {
      const row: ReadonlyMap<string, number>[] = [];
      for (const a of coordinates) {
        if (signal.aborted) return null;
        variables.forEach(([, variable], k) => {
          tf.tidy(() => {
            variable.assign(
              tf.add(centre[k]!, tf.add(tf.mul(first[k]!, a), tf.mul(second[k]!, b))),
            );
          });
        });
        row.push(await meanLosses(prepared, batches));
      }
      for (const name of row[0]!.keys()) {
        losses.set(name, [...(losses.get(name) ?? []), row.map((at) => at.get(name)!)]);
      }
    }
    const size = (batch: tf.NamedTensorMap): number => Object.values(batch)[0]!.shape[0];
    return {
      kind: 'landscape',
      samples: batches.reduce((sum, batch) => sum + size(batch), 0),
      coordinates,
      losses: Object.fromEntries(losses),
    };
  } finally {
    variables.forEach(([, variable], k) => variable.assign(centre[k]!));
    tf.dispose([centre, first, second, batches]);
  }
}

async function firstBatches(
  prepared: PreparedExperiment,
  samples: number,
): Promise<tf.NamedTensorMap[]> {
  const batches: tf.NamedTensorMap[] = [];
  let seen = 0;
  for await (const batch of prepared.train(0)) {
    batches.push(batch);
    seen += Object.values(batch)[0]!.shape[0];
    if (seen >= samples) break;
  }
  return batches;
}

/** A random direction, each filter (a slice along the last axis) as long as the weights of that filter. */
function direction(
  weights: tf.Tensor,
  [seed, ...stream]: readonly [number, ...(string | number)[]],
): tf.Tensor {
  const random = resumeRandom(randomState(seed, ...stream));
  const values = Float32Array.from({ length: weights.size }, () => random.normal());
  return tf.tidy(() => {
    const drawn = tf.tensor(values, weights.shape);
    const axes = Array.from({ length: weights.rank - 1 }, (_, axis) => axis);
    const length = (of: tf.Tensor): tf.Tensor => tf.sqrt(tf.sum(tf.square(of), axes, true));
    return tf.mul(drawn, tf.div(length(weights), length(drawn)));
  });
}

async function meanLosses(
  prepared: PreparedExperiment,
  batches: readonly tf.NamedTensorMap[],
): Promise<ReadonlyMap<string, number>> {
  const names: string[] = [];
  const means = tf.tidy(() => {
    const each = batches.map((batch) => {
      const measured = prepared.objectives(batch, { training: false, step: 0 });
      if (names.length === 0) names.push(...Object.keys(measured));
      return tf.stack(names.map((name) => own(measured, name)!.loss));
    });
    return tf.mean(tf.stack(each), 0);
  });
  const values = await means.data().finally(() => means.dispose());
  return new Map(names.map((name, k) => [name, values[k]!]));
}
