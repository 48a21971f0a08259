import { MultigradError } from '@multigrad/core/strategy';
import { didYouMean, listNames } from '@multigrad/core/support';
import { type Optimizer, type Tensor, train } from '@tensorflow/tfjs-core';
import { input, type LayersModel, model as makeModel } from '@tensorflow/tfjs-layers';

/**
 * A loss or a metric: of labels and predictions of the same samples it makes a number for each sample, or one scalar. Losses
 * of `tf.metrics` and your own fit; those of `tf.losses` return scalars.
 */
export type Measure = (labels: Tensor, predictions: Tensor) => Tensor;

/** The losses that `tf.LayersModel.compile` knows by name. */
export const lossNames = [
  'meanSquaredError',
  'meanAbsoluteError',
  'meanAbsolutePercentageError',
  'meanSquaredLogarithmicError',
  'squaredHinge',
  'hinge',
  'categoricalHinge',
  'logcosh',
  'categoricalCrossentropy',
  'sparseCategoricalCrossentropy',
  'binaryCrossentropy',
  'kullbackLeiblerDivergence',
  'poisson',
  'cosineProximity',
] as const;

/** A loss by the name that `tf.LayersModel.compile` has for it. */
export type LossName = (typeof lossNames)[number];

/** The optimizers that `tf.LayersModel.compile` knows by name, with Keras's default rates. */
export const optimizerNames = ['adagrad', 'adadelta', 'adam', 'adamax', 'rmsprop', 'sgd'] as const;

/** An optimizer by the name that `tf.LayersModel.compile` has for it. */
export type OptimizerName = (typeof optimizerNames)[number];

/** One output as losses and metrics see it. */
export interface MeasuredOutput {
  readonly name: string;
  /** Its shape, null for what varies; the first is the number of samples. */
  readonly shape: readonly (number | null)[];
  readonly loss: LossName | Measure;
  readonly metrics: readonly (string | Measure)[];
}

/** The functions behind names. */
export interface Measures {
  readonly loss: Measure;
  /** By the name that `LayersModel.fit` gives them in its history, such as `acc`. */
  readonly metrics: Readonly<Record<string, Measure>>;
}

/**
 * Finds the functions behind names of losses and metrics, as `tf.LayersModel.compile` does: it compiles a model without
 * weights whose outputs have these names and shapes.
 *
 * @throws MultigradError `invalid-option` for a name that is not known
 */
export function measuresOf(outputs: readonly MeasuredOutput[]): readonly Measures[] {
  return outputs.map(({ name, shape, loss, metrics }) => {
    if (typeof loss === 'string') checkName(`loss.${name}`, 'loss', loss, lossNames);
    const compiled = compile(name, shape, { loss, metrics: [...metrics] }, name);
    const [lossFunction] = compiled.lossFunctions as unknown as readonly Measure[];
    const functions = compiled.metricsTensors.map(([metric]) => metric);
    // The first name is that of the loss.
    const names = compiled.metricsNames.slice(1);
    return {
      loss: lossFunction!,
      metrics: Object.fromEntries(names.map((metric, place) => [metric, functions[place]!])),
    };
  });
}

/** Makes an optimizer as `tf.LayersModel.compile` does. @throws MultigradError `invalid-option` */
export function optimizerOf(name: OptimizerName): Optimizer {
  checkName('optimizer', 'optimizer', name, optimizerNames);
  const single = input({ shape: [1] });
  const compiled = makeModel({ inputs: single, outputs: single });
  compiled.compile({ optimizer: name, loss: 'meanSquaredError' });
  return compiled.optimizer;
}

function compile(
  name: string,
  shape: readonly (number | null)[],
  { loss, metrics }: { readonly loss: LossName | Measure; readonly metrics: (string | Measure)[] },
  output: string,
): LayersModel {
  const single = input({ batchShape: [...shape] as number[], name });
  const compiled = makeModel({ inputs: single, outputs: single });
  const optimizer = train.sgd(1);
  try {
    compiled.compile({ optimizer, loss: loss, metrics: metrics });
    return compiled;
  } catch (error) {
    throw new MultigradError(
      'invalid-option',
      `Option \`metrics.${output}\` should name metrics that \`tf.LayersModel.compile\` knows, such as 'accuracy'. ` +
        `Found ${metrics.map((metric) => (typeof metric === 'string' ? `'${metric}'` : 'a function')).join(', ')}: ${(error as Error).message}`,
      { cause: error },
    );
  } finally {
    optimizer.dispose();
  }
}

function checkName(option: string, kind: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`${option}\` names no ${kind} of TensorFlow.js: \`${name}\`.${didYouMean(name, known)} ` +
      `There are: ${listNames(known)}; a function will do too.`,
  );
}
