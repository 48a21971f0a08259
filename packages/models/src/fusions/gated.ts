import { own } from '@multigrad/core/strategy';
import { type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { WeightOptions } from '../option-specs.ts';
import { fusedWidth, resolveWeights } from './fusion-options.ts';
import { vectorInputs } from './vector-inputs.ts';

/** Options of {@link gated}. */
export interface GatedOptions extends WeightOptions {
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
 * Fusion by gates, the gated multimodal unit: `h_k = tanh(W_k z_k + b_k)`, `g_k = σ(V_k [z_1; z_2; …] + c_k)`,
 * `z = Σ_k g_k ⊙ h_k`: what each modality contributes is decided in view of all.
 *
 * @remarks
 * Every modality has a gate of its own, as in the paper's form for many modalities; its form for two has one gate g and
 * uses 1 − g for the second.
 *
 * @throws MultigradError `invalid-option` for fewer than two inputs or an option out of its range
 *
 * @example
 * ```ts
 * import { gated } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const fusion = gated({ inputs: { image: 3, audio: 2 }, features: 4, seed: 1 });
 * const fused = fusion.predict([tf.ones([1, 3]), tf.ones([1, 2])]) as tf.Tensor;
 * console.log(fused.shape); // [ 1, 4 ]
 * ```
 *
 * @see Arevalo, Solorio, Montes-y-Gómez and González, "Gated Multimodal Units for Information Fusion", ICLR 2017
 * workshop (https://arxiv.org/abs/1702.01992), section 3.1
 */
export function gated({ inputs, name = 'fusion', features, ...given }: GatedOptions): LayersModel {
  const symbols = vectorInputs('gated', name, inputs);
  const make = resolveWeights('gated', name, given);
  const width = fusedWidth('gated', features, inputs);
  const all = Object.values(symbols);
  const joined = layers.concatenate({ name: make.name('concatenation') }).apply(all);
  const total = Object.values(inputs).reduce((sum, length) => sum + length, 0);
  const terms = Object.entries(symbols).map(([modality, z]) => {
    const hidden = make.dense(`hidden/${modality}`, own(inputs, modality)!, width, 'tanh').apply(z);
    const gate = make.dense(`gate/${modality}`, total, width, 'sigmoid').apply(joined);
    const product = layers.multiply({ name: make.name(`product/${modality}`) });
    return product.apply([gate, hidden] as SymbolicTensor[]) as SymbolicTensor;
  });
  const sum = layers.add({ name: make.name('sum') }).apply(terms) as SymbolicTensor;
  return model({ name, inputs: all, outputs: sum });
}
