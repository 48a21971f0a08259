import { MultigradError, type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import { input, type LayersModel, model } from '@tensorflow/tfjs-layers';
import { hasLabels, isAtHand } from '../losses/labels.ts';
import { meanSquaredError, smoothL1 } from '../losses/regression.ts';
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

/** A task that a network learns. */
export type Task = ClassificationTask | RegressionTask;

/** A checked task, as the functions that its network needs. */
export interface TaskMeasures {
  /** Length of the head's output. */
  readonly outputs: number;
  readonly hidden: number | null;
  /** Targets in the form that loss and metric take; null if the batch has none. */
  readonly targets: (name: string, given: tf.Tensor) => tf.Tensor | null;
  /** The mean over the targets that are there. */
  readonly loss: (outputs: tf.Tensor2D, targets: tf.Tensor) => tf.Scalar;
  /** Accuracy of a classification, mean absolute error of a regression. */
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
        targets: (where, values) => regressionTargets(where, values, size),
        loss: (predictions, values) =>
          loss === 'squared'
            ? meanSquaredError(predictions, values as tf.Tensor2D)
            : smoothL1(predictions, values as tf.Tensor2D),
        metrics: (predictions, values) => ({ error: meanAbsoluteError(predictions, values) }),
        samples: numberCount,
      };
    }
    default:
      throw new MultigradError(
        'invalid-option',
        `Option \`tasks.${name}.kind\` of \`multiTaskNetwork\` should be 'classification' or 'regression'. ` +
          `Found ${describeValue((task as { kind?: unknown } | undefined)?.kind)}.`,
      );
  }
}

/** A task's head: linear, or with one hidden layer; its weights are called `head/<task>/kernel` and so on. */
export function taskHead(
  make: SeededLayers,
  task: string,
  inputs: number,
  { outputs, hidden }: TaskMeasures,
): LayersModel {
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

const classificationSpecs = { classes: countOption('Number of classes', 2, 2) };

const regressionSpecs = { ...regressionOptions, size: countOption('How many numbers', 1) };
