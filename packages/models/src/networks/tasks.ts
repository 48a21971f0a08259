import { MultigradError, type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import { input, type LayersModel, model } from '@tensorflow/tfjs-layers';
import { hasLabels, isAtHand, oneHotOf } from '../losses/labels.ts';
import { absoluteError, meanSquaredError, smoothL1 } from '../losses/regression.ts';
import { accuracy, labelCount, softmaxCrossEntropy } from '../losses/softmax-cross-entropy.ts';
import { countOption, without } from '../option-specs.ts';
import { chain, type SeededLayers } from '../weights/seeded-layers.ts';

/** A task whose target is one of several classes. */
export interface ClassificationTask {
  readonly kind: 'classification';
  /** Number of classes, an integer >= 2. */
  readonly classes: number;
  /**
   * Width of a hidden layer with a ReLU in the task's head, an integer >= 1.
   *
   * @defaultValue none
   */
  readonly hidden?: number;
}

/** Descriptions of the options of a {@link RegressionTask} that have a default. */
const regressionOptions = {
  /** The loss: mean squared error, or smooth L1 with β = 1. @defaultValue 'squared' */
  loss: {
    kind: 'choice',
    default: 'squared',
    choices: ['squared', 'smooth-l1'],
    description: 'Mean squared error, or smooth L1 with β = 1.',
  },
} as const;

/** A task whose targets are numbers. */
export interface RegressionTask extends OptionsOf<typeof regressionOptions> {
  readonly kind: 'regression';
  /** Number of values in a target, an integer >= 1. */
  readonly size: number;
  /**
   * Width of a hidden layer with a ReLU in the task's head, an integer >= 1.
   *
   * @defaultValue none
   */
  readonly hidden?: number;
}

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

/** A task with a target at every pixel. */
export type DenseTask = SegmentationTask | PixelRegressionTask;

/** A task that a network learns. */
export type Task = ClassificationTask | RegressionTask | DenseTask;

/** A checked task, as the functions that its network needs. */
export interface TaskMeasures {
  /** Length of the head's output. */
  readonly outputs: number;
  readonly hidden: number | null;
  /** Whether it has a target at every pixel: its head takes and returns maps. */
  readonly dense: boolean;
  /** Targets in the form that loss and metric take; null if the batch has none. */
  readonly targets: (name: string, given: tf.Tensor) => tf.Tensor | null;
  /** The mean over the targets that are there. */
  readonly loss: (outputs: tf.Tensor2D, targets: tf.Tensor) => tf.Scalar;
  /** Accuracy of a classification, mean absolute error of a regression; of dense tasks also IoU and relative error. */
  readonly metrics: (outputs: tf.Tensor2D, targets: tf.Tensor) => Record<string, tf.Scalar>;
  /** The number of targets that are there, over which loss and metric are means. */
  readonly samples: (targets: tf.Tensor) => tf.Scalar;
}

/** @throws MultigradError `invalid-option` */
export function measuresOf(name: string, task: Task): TaskMeasures {
  const owner = `task ${name}`;
  switch ((task as Task | undefined)?.kind) {
    case 'classification': {
      const given = without(task as ClassificationTask, 'kind', 'hidden');
      const { classes } = resolveOptions(owner, classificationSpecs, given);
      return {
        outputs: classes,
        hidden: hiddenWidth(owner, task.hidden),
        dense: false,
        targets: (where, labels) =>
          hasLabels(labels as tf.Tensor1D, classes, `labels of \`${where}\``) ? labels : null,
        loss: (logits, labels) => softmaxCrossEntropy(logits, labels as tf.Tensor1D),
        metrics: (logits, labels) => ({ accuracy: accuracy(logits, labels as tf.Tensor1D) }),
        samples: (labels) => labelCount(labels as tf.Tensor1D),
      };
    }
    case 'regression': {
      const given = without(task as RegressionTask, 'kind', 'hidden');
      const { size, loss } = resolveOptions(owner, regressionSpecs, given);
      return {
        outputs: size,
        hidden: hiddenWidth(owner, task.hidden),
        dense: false,
        targets: (where, values) => regressionTargets(where, values, size),
        loss: (predictions, values) =>
          loss === 'squared'
            ? meanSquaredError(predictions, values as tf.Tensor2D)
            : smoothL1(predictions, values as tf.Tensor2D),
        metrics: (predictions, values) => ({ error: meanAbsoluteError(predictions, values) }),
        samples: numberCount,
      };
    }
    case 'segmentation': {
      const given = without(task as SegmentationTask, 'kind', 'hidden');
      const { classes } = resolveOptions(owner, classificationSpecs, given);
      const pixels = (outputs: tf.Tensor) => tf.reshape<tf.Rank.R2>(outputs, [-1, classes]);
      return {
        outputs: classes,
        hidden: hiddenWidth(owner, task.hidden),
        dense: true,
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
      const given = without(task as PixelRegressionTask, 'kind', 'hidden');
      const { size, loss } = resolveOptions(owner, pixelRegressionSpecs, given);
      const pixels = (outputs: tf.Tensor) => tf.reshape<tf.Rank.R2>(outputs, [-1, size]);
      const measure = loss === 'absolute' ? absoluteError : meanSquaredError;
      return {
        outputs: size,
        hidden: hiddenWidth(owner, task.hidden),
        dense: true,
        targets: (where, values) => pixelTargets(where, values, size),
        loss: (predictions, values) => measure(pixels(predictions), values as tf.Tensor2D),
        metrics: (predictions, values) => ({
          error: meanAbsoluteError(pixels(predictions), values),
          relative: meanRelativeError(pixels(predictions), values),
        }),
        samples: numberCount,
      };
    }
    default:
      throw new MultigradError(
        'invalid-option',
        `Option \`tasks.${name}.kind\` of \`multiTaskNetwork\` should be 'classification', 'regression', 'segmentation' or ` +
          "'pixel-regression'. " +
          `Found ${describeValue((task as { kind?: unknown } | undefined)?.kind)}.`,
      );
  }
}

/** A task's head: linear, or with one hidden layer; its weights are called `head/<task>/kernel` and so on. */
export function taskHead(
  make: SeededLayers,
  task: string,
  inputs: number,
  { outputs, hidden, dense }: TaskMeasures,
  shape: readonly (number | null)[],
): LayersModel {
  if (dense) {
    const maps = input({ name: make.name(`${task}/features`), shape: [...shape] });
    const between =
      hidden === null
        ? []
        : [
            make.convolution(`${task}/hidden`, inputs, {
              filters: hidden,
              kernelSize: 3,
              activation: 'relu',
            }),
          ];
    const last = make.convolution(task, hidden ?? inputs, { filters: outputs, kernelSize: 1 });
    return model({ name: make.name(task), inputs: maps, outputs: chain(maps, [...between, last]) });
  }
  const features = input({ name: make.name(`${task}/features`), shape: [inputs] });
  const steps =
    hidden === null
      ? [make.dense(task, inputs, outputs)]
      : [make.dense(`${task}/hidden`, inputs, hidden, 'relu'), make.dense(task, hidden, outputs)];
  return model({ name: make.name(task), inputs: features, outputs: chain(features, steps) });
}

function hiddenWidth(owner: string, hidden: number | undefined): number | null {
  if (hidden === undefined) return null;
  return resolveOptions(owner, { hidden: countOption('Width of the hidden layer', 1) }, { hidden })
    .hidden;
}

/** n × size, also from n numbers where size is 1; null if every one is missing (NaN), where that can be told. */
function regressionTargets(name: string, given: tf.Tensor, size: number): tf.Tensor | null {
  const shape: readonly number[] = given.shape;
  const rightSize = shape.length === 2 ? shape[1] === size : shape.length === 1 && size === 1;
  if (given.dtype !== 'float32' || !rightSize) {
    throw new MultigradError(
      'invalid-argument',
      `Targets of \`${name}\` should be a float32 tensor of shape [n, ${size}]${size === 1 ? ' or [n]' : ''}. ` +
        `Found ${given.dtype} [${shape.join(', ')}].`,
    );
  }
  if (isAtHand() && given.dataSync().every((value) => Number.isNaN(value))) return null;
  return tf.reshape(given, [shape[0]!, size]);
}

/** The number of targets that are not NaN. */
function numberCount(targets: tf.Tensor): tf.Scalar {
  return tf.tidy(() => tf.sum<tf.Scalar>(tf.sub(1, tf.cast(tf.isNaN(targets), 'float32'))));
}

/** Mean of |p − t| over the targets that are not NaN. */
function meanAbsoluteError(predictions: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  return tf.tidy(() => {
    const missing = tf.isNaN(targets);
    const distance = tf.abs(tf.sub(predictions, targets));
    const sum = tf.sum(tf.where(missing, tf.zerosLike(distance), distance));
    return tf.div<tf.Scalar>(sum, tf.sum(tf.sub(1, tf.cast(missing, 'float32'))));
  });
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

const pixelRegressionSpecs = {
  ...pixelRegressionOptions,
  size: countOption('How many numbers at a pixel', 1),
};

const classificationSpecs = { classes: countOption('Number of classes', 2, 2) };

const regressionSpecs = { ...regressionOptions, size: countOption('How many numbers', 1) };
