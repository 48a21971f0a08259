import { own } from '@multigrad/core/strategy';
import { type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { WeightOptions } from '../option-specs.ts';
import { fusedWidth, resolveWeights } from './fusion-options.ts';
import { vectorInputs } from './vector-inputs.ts';

/** Options of {@link summation}. */
export interface SummationOptions extends WeightOptions {
  /** Length of each modality's feature vector, by modality, at least two; their order is that of the inputs. */
  readonly inputs: Readonly<Record<string, number>>;
  /**
   * The model's name, unique in a network.
   *
   * @defaultValue 'fusion'
   */
  readonly name?: string;
  /**
   * Length of the fused vector, an integer >= 1.
   *
   * @defaultValue the longest of the inputs
   */
  readonly features?: number;
}

/**
 * Fusion by summation: `z = Σ_k P_k z_k`, with P_k the identity for a vector that already has the length of the sum, and
 * else a linear map of its own, `P_k z_k = W_k z_k + b_k`.
 *
 * @throws MultigradError `invalid-option` for fewer than two inputs or an option out of its range
 *
 * @example
 * ```ts
 * import { summation } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const fusion = summation({ inputs: { image: 2, audio: 2 } });
 * const fused = fusion.predict([tf.tensor2d([[1, 2]]), tf.tensor2d([[10, 20]])]) as tf.Tensor;
 * console.log(fused.arraySync()); // [ [ 11, 22 ] ]
 * ```
 */
export function summation({
  inputs,
  name = 'fusion',
  features,
  ...given
}: SummationOptions): LayersModel {
  const symbols = vectorInputs('summation', name, inputs);
  const make = resolveWeights('summation', name, given);
  const width = fusedWidth('summation', features, inputs);
  const terms = Object.entries(symbols).map(([modality, z]) =>
    own(inputs, modality) === width
      ? z
      : (make
          .dense(`projection/${modality}`, own(inputs, modality)!, width)
          .apply(z) as SymbolicTensor),
  );
  const sum = layers.add({ name: make.name('sum') }).apply(terms) as SymbolicTensor;
  return model({ name, inputs: Object.values(symbols), outputs: sum });
}
