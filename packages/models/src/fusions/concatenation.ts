import { resolveOptions } from '@multigrad/core/strategy';
import { layers, type LayersModel, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { vectorInputs } from './vector-inputs.ts';

/** Options of {@link concatenation}. */
export interface ConcatenationOptions {
  /** Length of each modality's feature vector, by modality, at least two; their order is the order of the result. */
  readonly inputs: Readonly<Record<string, number>>;
  /**
   * The model's name, unique in a network.
   *
   * @defaultValue 'fusion'
   */
  readonly name?: string;
}

/**
 * Fusion by concatenation: feature vectors side by side, `[z_1; z_2; …]`; it has no weights.
 *
 * @throws MultigradError `invalid-option` for fewer than two inputs or a length that is no integer >= 1
 *
 * @example
 * ```ts
 * import { concatenation } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const fusion = concatenation({ inputs: { image: 3, audio: 2 } });
 * const fused = fusion.predict([tf.ones([1, 3]), tf.zeros([1, 2])]) as tf.Tensor;
 * console.log(fused.arraySync()); // [ [ 1, 1, 1, 0, 0 ] ]
 * ```
 */
export function concatenation({
  inputs,
  name = 'fusion',
  ...others
}: ConcatenationOptions): LayersModel {
  // There are no further options: any other is refused.
  resolveOptions('concatenation', {}, others);
  const symbols = Object.values(vectorInputs('concatenation', name, inputs));
  const joined = layers.concatenate({ name: `${name}/concatenation` }).apply(symbols);
  return model({ name, inputs: symbols, outputs: joined as SymbolicTensor });
}
