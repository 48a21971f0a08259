import * as tf from '@tensorflow/tfjs-core';
import { missingLabel, oneHotOf } from '../losses/labels.ts';
import { assertFirstOrder } from '../second-order.ts';

/** Weights of a modality's terms in a step, as scalars on the device. */
export interface TermWeights {
  /** Weight of its prototypical cross-entropy. */
  readonly crossEntropy: tf.Scalar;
  /** Weight of the entropy of its prototypical class probabilities. */
  readonly entropy: tf.Scalar;
}

/** The class probabilities that a modality's prototypes give a batch. */
interface Prediction {
  readonly z: tf.Tensor2D;
  /** Distances to the prototypes, n × classes, > 0. */
  readonly distances: tf.Tensor2D;
  readonly logProbabilities: tf.Tensor2D;
  readonly probabilities: tf.Tensor2D;
}

// Least squared distance: it keeps the slope at a prototype itself, 0 divided by the distance, at 0.
const leastDistance = 1e-12;

/**
 * A term of a loss from distances to prototypes, constants in it:
 * `Σ_m u_m CE_m − v_m H_m`, where modality m's class probabilities are `softmax_c(−‖z_m − c_mc‖)`, CE their mean
 * cross-entropy and H their mean entropy over the labelled samples. The weights u and v come from the same probabilities
 * and count as constants too.
 *
 * @param vectors - features by modality, each n × features
 * @param prototypes - by modality, each classes × features
 * @param labels - n integers, −1 where one is missing; at least one is there
 * @param weigh - gives u and v for the modalities' scores, the probabilities of the true classes summed over samples
 * @returns the term, and each modality's score, divided by the number of labelled samples
 */
export function prototypeTerm(
  vectors: readonly tf.Tensor2D[],
  prototypes: readonly tf.Tensor2D[],
  labels: tf.Tensor1D,
  weigh: (scores: readonly tf.Scalar[]) => readonly TermWeights[],
): { readonly term: tf.Scalar; readonly scores: readonly tf.Scalar[] } {
  const present = tf.expandDims(tf.cast(tf.notEqual(labels, missingLabel), 'float32'), 1);
  const count = tf.sum(present);
  const target = tf.mul<tf.Tensor2D>(oneHotOf(labels, prototypes[0]!.shape[0]), present);
  // These scores outlive the operation, whose other tensors are freed at its end.
  let kept: readonly tf.Scalar[] = [];
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const save = inputs.at(-1) as tf.GradSaveFunc;
    const predictions = (inputs.slice(0, -1) as tf.Tensor2D[]).map((z, m) =>
      predict(z, prototypes[m]!),
    );
    const scores = predictions.map(({ probabilities }) =>
      tf.sum<tf.Scalar>(tf.mul(probabilities, target)),
    );
    kept = scores.map((score) => tf.keep(tf.div(score, count)));
    const weights = weigh(scores);
    const parts = predictions.map((prediction, m) =>
      measure(prediction, prototypes[m]!, target, present, weights[m]!),
    );
    save(parts.map(({ slope }) => tf.div(slope, count)));
    return {
      value: tf.div(tf.addN(parts.map(({ sum }) => sum)), count),
      gradFunc: (gradient: tf.Tensor, slopes: tf.Tensor[]) => {
        assertFirstOrder('distances to prototypes');
        return slopes.map((slope) => tf.mul(slope, gradient));
      },
    };
  });
  const term = operation(...vectors) as tf.Scalar;
  const scores = kept.map((score) => tf.clone(score));
  kept.forEach((score) => score.dispose());
  return { term, scores };
}

function predict(z: tf.Tensor2D, prototypes: tf.Tensor2D): Prediction {
  // Take the differences first: |z|² − 2 z·c + |c|² would lose the digits of small distances.
  const differences = tf.sub(tf.expandDims(z, 1), tf.expandDims(prototypes, 0));
  const squares = tf.sum(tf.square(differences), 2);
  const distances = tf.sqrt(tf.maximum<tf.Tensor2D>(squares, leastDistance));
  const logProbabilities = tf.logSoftmax(tf.neg<tf.Tensor2D>(distances));
  return { z, distances, logProbabilities, probabilities: tf.exp(logProbabilities) };
}

/** A modality's share of the term and its derivative by the features, both summed over samples. */
function measure(
  { z, distances, logProbabilities, probabilities }: Prediction,
  prototypes: tf.Tensor2D,
  target: tf.Tensor2D,
  present: tf.Tensor,
  weights: TermWeights,
): { readonly sum: tf.Tensor; readonly slope: tf.Tensor } {
  const crossEntropy = tf.neg(tf.sum(tf.mul(target, logProbabilities)));
  const entropies = tf.neg(tf.sum(tf.mul(probabilities, logProbabilities), 1, true));
  const entropy = tf.sum(tf.mul(entropies, present));
  // Derivatives by the logits −d: p − y of the cross-entropy, −p (log p + H) of the entropy.
  const towardsTrue = tf.sub(tf.mul(probabilities, present), target);
  const towardsEven = tf.mul(tf.mul(probabilities, tf.add(logProbabilities, entropies)), present);
  const byLogits = tf.add(
    tf.mul(towardsTrue, weights.crossEntropy),
    tf.mul(towardsEven, weights.entropy),
  );
  // ∂(−d_c)/∂z = (c − z)/d_c.
  const pulls = tf.div<tf.Tensor2D>(byLogits, distances);
  const slope = tf.sub(tf.matMul(pulls, prototypes), tf.mul(z, tf.sum(pulls, 1, true)));
  return {
    sum: tf.sub(tf.mul(crossEntropy, weights.crossEntropy), tf.mul(entropy, weights.entropy)),
    slope,
  };
}
