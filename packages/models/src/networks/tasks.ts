import { MultigradError, type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import { input, type LayersModel, model } from '@tensorflow/tfjs-layers';
import { hasLabels, isAtHand } from '../losses/labels.ts';
import { meanSquaredError, smoothL1 } from '../losses/regression.ts';
import { accuracy, labelCount, softmaxCrossEntropy } from '../losses/softmax-cross-entropy.ts';
import { countOption, without } from '../option-specs.ts';
import { chain, type SeededLayers } from '../weights/seeded-layers.ts';
import { denseMeasuresOf, type DenseTask } from './dense-tasks.ts';
import { hiddenWidth, meanAbsoluteError, numberCount, type TaskMeasures } from './task-measures.ts';

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
export type Task = ClassificationTask | RegressionTask | DenseTask;

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
    case 'segmentation':
    case 'pixel-regression':
    case 'normals':
      return denseMeasuresOf(name, task as DenseTask);
    default:
      throw new MultigradError(
        'invalid-option',
        `Option \`tasks.${name}.kind\` of \`multiTaskNetwork\` should be 'classification', 'regression', 'segmentation', ` +
          "'pixel-regression' or 'normals'. " +
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

const classificationSpecs = { classes: countOption('Number of classes', 2, 2) };

const regressionSpecs = { ...regressionOptions, size: countOption('How many numbers', 1) };
