import { MultigradError, type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import { angles, cosineDistance } from '../losses/cosine-distance.ts';
import { hasLabels, isAtHand, oneHotOf } from '../losses/labels.ts';
import { absoluteError, meanSquaredError } from '../losses/regression.ts';
import { accuracy, labelCount, softmaxCrossEntropy } from '../losses/softmax-cross-entropy.ts';
import { countOption, without } from '../option-specs.ts';
import { hiddenWidth, meanAbsoluteError, numberCount, type TaskMeasures } from './task-measures.ts';

/** A task whose target is a class at every pixel. */
export interface SegmentationTask {
  readonly kind: 'segmentation';
  /** Number of classes, an integer >= 2. */
  readonly classes: number;
  /**
   * Channels of a 3×3 convolution with a ReLU in the task's head, an integer >= 1.
   *
   * @defaultValue none
   */
  readonly hidden?: number;
}

/** Descriptions of the options of a {@link PixelRegressionTask} that have a default. */
const pixelRegressionOptions = {
  /** The loss: mean absolute or mean squared error. @defaultValue 'absolute' */
  loss: {
    kind: 'choice',
    default: 'absolute',
    choices: ['absolute', 'squared'],
    description: 'Mean absolute or mean squared error.',
  },
} as const;

/** A task whose targets are numbers at every pixel, such as depth. */
export interface PixelRegressionTask extends OptionsOf<typeof pixelRegressionOptions> {
  readonly kind: 'pixel-regression';
  /** Number of values at a pixel, an integer >= 1. */
  readonly size: number;
  /**
   * Channels of a 3×3 convolution with a ReLU in the task's head, an integer >= 1.
   *
   * @defaultValue none
   */
  readonly hidden?: number;
}

/** A task whose target is a direction at every pixel: the normal of the surface that is seen there. */
export interface NormalsTask {
  readonly kind: 'normals';
  /**
   * Channels of a 3×3 convolution with a ReLU in the task's head, an integer >= 1.
   *
   * @defaultValue none
   */
  readonly hidden?: number;
}

/** A task with a target at every pixel. */
export type DenseTask = SegmentationTask | PixelRegressionTask | NormalsTask;

/** Components of a direction in space. */
const components = 3;

/** What a task with a target at every pixel measures. @throws MultigradError `invalid-option` */
export function denseMeasuresOf(name: string, task: DenseTask): TaskMeasures {
  const owner = `task ${name}`;
  const head = { hidden: hiddenWidth(owner, task.hidden), dense: true };
  switch (task.kind) {
    case 'segmentation': {
      const given = without(task, 'kind', 'hidden');
      const { classes } = resolveOptions(owner, segmentationSpecs, given);
      const pixels = (outputs: tf.Tensor) => tf.reshape<tf.Rank.R2>(outputs, [-1, classes]);
      return {
        outputs: classes,
        ...head,
        targets: (where, labels) => pixelLabels(where, labels, classes),
        loss: (logits, labels) => softmaxCrossEntropy(pixels(logits), labels as tf.Tensor1D),
        metrics: (logits, labels) => ({
          accuracy: accuracy(pixels(logits), labels as tf.Tensor1D),
          iou: batchIntersectionOverUnion(pixels(logits), labels as tf.Tensor1D, classes),
        }),
        samples: (labels) => labelCount(labels as tf.Tensor1D),
      };
    }
    case 'pixel-regression': {
      const given = without(task, 'kind', 'hidden');
      const { size, loss } = resolveOptions(owner, pixelRegressionSpecs, given);
      const pixels = (outputs: tf.Tensor) => tf.reshape<tf.Rank.R2>(outputs, [-1, size]);
      const measure = loss === 'absolute' ? absoluteError : meanSquaredError;
      return {
        outputs: size,
        ...head,
        targets: (where, values) => pixelTargets(where, values, size),
        loss: (predictions, values) => measure(pixels(predictions), values as tf.Tensor2D),
        metrics: (predictions, values) => ({
          error: meanAbsoluteError(pixels(predictions), values),
          relative: meanRelativeError(pixels(predictions), values),
        }),
        samples: numberCount,
      };
    }
    case 'normals': {
      resolveOptions(owner, {}, without(task, 'kind', 'hidden'));
      const pixels = (outputs: tf.Tensor) => tf.reshape<tf.Rank.R2>(outputs, [-1, components]);
      return {
        outputs: components,
        ...head,
        targets: (where, values) => pixelTargets(where, values, components),
        loss: (predictions, values) => cosineDistance(pixels(predictions), values as tf.Tensor2D),
        metrics: (predictions, values) => angleMetrics(pixels(predictions), values as tf.Tensor2D),
        samples: directionCount,
      };
    }
  }
}

/** The classes of all pixels in one row, −1 where missing; null if every one is, where that can be told. */
function pixelLabels(name: string, given: tf.Tensor, classes: number): tf.Tensor | null {
  if (given.dtype !== 'int32' || given.rank !== 3) {
    throw new MultigradError(
      'invalid-argument',
      `Targets of \`${name}\` should be an int32 tensor of shape [n, height, width]. ` +
        `Found ${given.dtype} [${given.shape.join(', ')}].`,
    );
  }
  const labels = tf.reshape<tf.Rank.R1>(given, [given.size]);
  return hasLabels(labels, classes, `labels of \`${name}\``) ? labels : null;
}

/** The numbers of all pixels as rows, NaN where missing; null if every one is, where that can be told. */
function pixelTargets(name: string, given: tf.Tensor, size: number): tf.Tensor | null {
  const rightSize = given.rank === 4 ? given.shape[3] === size : given.rank === 3 && size === 1;
  if (given.dtype !== 'float32' || !rightSize) {
    throw new MultigradError(
      'invalid-argument',
      `Targets of \`${name}\` should be a float32 tensor of shape [n, height, width, ${size}]` +
        `${size === 1 ? ' or [n, height, width]' : ''}. Found ${given.dtype} [${given.shape.join(', ')}].`,
    );
  }
  if (isAtHand() && given.dataSync().every((value) => Number.isNaN(value))) return null;
  return tf.reshape(given, [-1, size]);
}

/**
 * The mean over classes of intersection over union, `|P ∩ T| / |P ∪ T|`, of the pixels of a batch; classes that neither the
 * targets nor the predictions have take no part.
 */
function batchIntersectionOverUnion(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
  classes: number,
): tf.Scalar {
  return tf.tidy(() => {
    const targets = oneHotOf(labels, classes);
    const present = tf.sum(targets, 1, true);
    const found = tf.mul(oneHotOf(tf.argMax(logits, 1), classes), present);
    const both = tf.sum(tf.mul(targets, found), 0);
    const either = tf.sub(tf.add(tf.sum(targets, 0), tf.sum(found, 0)), both);
    const counted = tf.sum(tf.cast(tf.greater(either, 0), 'float32'));
    return tf.div<tf.Scalar>(tf.sum(tf.divNoNan(both, either)), counted);
  });
}

/** Mean of |p − t| / |t| over the targets that are neither NaN nor 0. */
function meanRelativeError(predictions: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const size = tf.abs(targets);
    const present = tf.greater(size, 0);
    const ratio = tf.div(tf.abs(tf.sub(predictions, targets)), size);
    const sum = tf.sum(tf.where(present, ratio, tf.zerosLike(ratio)));
    return tf.div<tf.Scalar>(sum, tf.sum(tf.cast(present, 'float32')));
  });
}

/** The angles within which predictions are counted, in degrees, by the metric's name. */
const angleLimits = { within11: 11.25, within22: 22.5, within30: 30 } as const;

/** Mean angle in degrees between predicted and given directions, and shares of those within 11.25, 22.5 and 30 degrees. */
function angleMetrics(predictions: tf.Tensor2D, targets: tf.Tensor2D): Record<string, tf.Scalar> {
  return tf.tidy(() => {
    const { values, present } = angles(predictions, targets);
    const count = tf.sum(present);
    const meanOf = (of: tf.Tensor): tf.Scalar =>
      tf.div<tf.Scalar>(tf.sum(tf.mul(of, present)), count);
    const shares = Object.entries(angleLimits).map(([name, limit]) => [
      name,
      meanOf(tf.cast(tf.less(values, limit), 'float32')),
    ]);
    return { angle: meanOf(values), ...(Object.fromEntries(shares) as Record<string, tf.Scalar>) };
  });
}

/** The number of directions none of whose components is NaN. */
function directionCount(targets: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const missing = tf.any(tf.isNaN(targets), 1);
    return tf.sum<tf.Scalar>(tf.sub(1, tf.cast(missing, 'float32')));
  });
}

const segmentationSpecs = { classes: countOption('Number of classes', 2, 2) };

const pixelRegressionSpecs = {
  ...pixelRegressionOptions,
  size: countOption('How many numbers at a pixel', 1),
};
