import { MultigradError, type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import { input, layers, type LayersModel, model } from '@tensorflow/tfjs-layers';
import { assertLayerName } from '../layer-names.ts';
import { assertPresent, weightOptions, type WeightOptions } from '../option-specs.ts';
import { chain, SeededLayers } from '../weights/seeded-layers.ts';

/** Descriptions of the options of {@link multilayerPerceptron}. */
const multilayerPerceptronOptions = {
  /** Length of the feature vector, an integer >= 1. @defaultValue 128 */
  features: {
    kind: 'number',
    default: 128,
    minimum: 1,
    integer: true,
    description: 'Length of the feature vector, an integer >= 1.',
  },
} as const;

/** Options of {@link multilayerPerceptron}. */
export interface MultilayerPerceptronOptions
  extends OptionsOf<typeof multilayerPerceptronOptions>, WeightOptions {
  /** The encoder's name, unique in a network; its variables are called `<name>/dense1/kernel` and so on. */
  readonly name: string;
  /** Shape of one sample, integers >= 1; more than one axis is flattened. */
  readonly shape: readonly number[];
  /** Widths of the hidden layers, integers >= 1. @defaultValue [256] */
  readonly hidden?: readonly number[];
}

/**
 * Dense layers with a ReLU after each: `x_0 = x`, `x_l = max(0, x_{l−1} W_l + b_l)`; n × shape in, n × features out.
 *
 * Stages: `flatten` (where samples have several axes), `dense1`, `dense2`, ….
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { multilayerPerceptron } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const encoder = multilayerPerceptron({ name: 'table', shape: [8], hidden: [16], features: 4 });
 * console.log((encoder.predict(tf.zeros([2, 8])) as tf.Tensor).shape); // [ 2, 4 ]
 * console.log(encoder.weights.map((w) => w.name)); // [ 'table/dense1/kernel', … 'table/dense2/bias' ]
 * ```
 */
export function multilayerPerceptron({
  name,
  shape,
  hidden = [256],
  ...given
}: MultilayerPerceptronOptions): LayersModel {
  const owner = 'multilayerPerceptron';
  assertLayerName(`Option \`name\` of \`${owner}\``, name);
  assertPresent(owner, { shape }, ['shape']);
  assertSizes(owner, 'shape', shape);
  if (shape.length === 0) assertSizes(owner, 'shape', null);
  assertSizes(owner, 'hidden', hidden);
  const { features, seed, initialisation } = resolveOptions(owner, specs, given);
  const make = new SeededLayers(name, seed, initialisation);
  const widths = [shape.reduce((product, size) => product * size, 1), ...hidden, features];
  const dense = widths
    .slice(1)
    .map((units, l) => make.dense(`dense${l + 1}`, widths[l]!, units, 'relu'));
  const flatten = shape.length > 1 ? [layers.flatten({ name: make.name('flatten') })] : [];
  const sample = input({ name: make.name('sample'), shape: [...shape] });
  return model({ name, inputs: sample, outputs: chain(sample, [...flatten, ...dense]) });
}

const specs = { ...multilayerPerceptronOptions, ...weightOptions };

function assertSizes(owner: string, option: string, sizes: unknown): void {
  if (Array.isArray(sizes) && sizes.every((size) => Number.isSafeInteger(size) && size >= 1))
    return;
  throw new MultigradError(
    'invalid-option',
    `Option \`${option}\` of \`${owner}\` should be an array of integers >= 1. Found ${describeValue(sizes)}.`,
  );
}
