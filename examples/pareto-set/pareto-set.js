import { cosineDecay, MultiObjectiveTrainer } from '@multigrad/core';
import { randomState, resumeRandom } from '@multigrad/core/strategy';
import { epo } from '@multigrad/strategy-epo';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';

/**
 * A hypernetwork: from preferences, rows with the sum 1, to the weights of the network that is to be had for each.
 *
 * @param {{ objectives: number, weights: number, hidden?: number, seed: number }} options
 */
export function hypernetwork({ objectives, weights, hidden = 32, seed }) {
  const dense = (units, at, rest) =>
    layers.dense({
      units,
      kernelInitializer: initializers.glorotNormal({ seed: seed + at }),
      ...rest,
    });
  return sequential({
    layers: [
      dense(hidden, 0, { activation: 'tanh', inputShape: [objectives] }),
      dense(hidden, 1, { activation: 'tanh' }),
      dense(weights, 2, {}),
    ],
  });
}

/** As many preferences, drawn from all with the sum 1; the same for the same seed and epoch. */
function* preferencesOf(names, count, seed, epoch) {
  const random = resumeRandom(randomState(seed, `epoch ${epoch}`));
  for (let at = 0; at < count; at += 1) {
    // Exponential numbers over their sum are uniform on the simplex; none is so small that its objective counts for nothing.
    const drawn = names.map(() => 0.05 - Math.log(1 - random.uniform()));
    const total = drawn.reduce((sum, value) => sum + value, 0);
    yield { preference: tf.tensor2d([drawn.map((value) => value / total)]) };
  }
}

/**
 * Trains a hypernetwork so that for every preference r the losses of what it gives are Pareto optimal, with `r_k L_k` the
 * same for all objectives: each step draws a preference, and EPO makes the weighted losses of its network equal.
 *
 * @param {tf.LayersModel} network - the hypernetwork
 * @param {(weights: tf.Tensor2D) => Record<string, tf.Scalar>} losses - of one row of weights, each > 0
 * @param {{ names: string[], steps: number, rate: number, seed: number }} options - the losses' names, in the order of the
 *   preferences' columns
 */
export async function learnParetoSet(network, losses, { names, steps, rate, seed }) {
  const optimizer = tf.train.adam(rate);
  const stepsPerEpoch = 100;
  const trainer = new MultiObjectiveTrainer({
    objectives: ({ preference }) => {
      const own = losses(network.apply(preference));
      const shares = tf.unstack(tf.reshape(preference, [names.length]));
      return Object.fromEntries(names.map((name, k) => [name, tf.mul(own[name], shares[k])]));
    },
    variables: network,
    // The weights of the losses are the preferences: EPO is to make the products equal.
    strategy: epo(),
    optimizer,
    learningRate: cosineDecay({ rate, steps }),
  });
  try {
    await trainer.fit((epoch) => preferencesOf(names, stepsPerEpoch, seed, epoch), {
      epochs: Math.ceil(steps / stepsPerEpoch),
    });
  } finally {
    trainer.dispose();
    optimizer.dispose();
  }
}
