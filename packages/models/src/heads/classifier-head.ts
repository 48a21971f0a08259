import { resolveOptions } from '@multigrad/core/strategy';
import {
  input,
  layers,
  type LayersModel,
  model,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { layerInitializers } from '../weights/initialisation.ts';
import { assertLayerName } from '../layer-names.ts';
import { assertPresent, countOption, weightOptions, type WeightOptions } from '../option-specs.ts';

/** Options of {@link classifierHead}. */
export interface ClassifierHeadOptions extends WeightOptions {
  /** The head's name, unique in a network; its variables are called `<name>/kernel` and `<name>/bias`. */
  readonly name: string;
  /** Length of the feature vector, an integer >= 1. */
  readonly inputs: number;
  /** Number of classes, an integer >= 2. */
  readonly classes: number;
}

/**
 * A linear classifier, `logits = z W + b`: batch of feature vectors in, batch of logits out.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { classifierHead } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const head = classifierHead({ name: 'head', inputs: 16, classes: 10, seed: 1 });
 * const logits = head.predict(tf.zeros([2, 16])) as tf.Tensor;
 * console.log(logits.shape); // [ 2, 10 ]
 * ```
 */
export function classifierHead({ name, ...given }: ClassifierHeadOptions): LayersModel {
  assertLayerName('Option `name` of `classifierHead`', name);
  assertPresent('classifierHead', given, ['inputs', 'classes']);
  const { inputs, classes, seed, initialisation } = resolveOptions('classifierHead', specs, given);
  const features = input({ name: `${name}/features`, shape: [inputs] });
  const dense = layers.dense({
    name,
    units: classes,
    ...layerInitializers(initialisation, inputs, seed, name),
  });
  return model({ name, inputs: features, outputs: dense.apply(features) as SymbolicTensor });
}

const specs = {
  ...weightOptions,
  inputs: countOption('Length of the feature vector', 1),
  classes: countOption('Number of classes', 2, 2),
};
