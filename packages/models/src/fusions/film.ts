import { MultigradError, own } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import { type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { WeightOptions } from '../option-specs.ts';
import { resolveWeights } from './fusion-options.ts';
import { vectorInputs } from './vector-inputs.ts';

/** Options of {@link film}. */
export interface FilmOptions extends WeightOptions {
  /** Length of each modality's feature vector, by modality, at least two; their order is that of the inputs. */
  readonly inputs: Readonly<Record<string, number>>;
  /**
   * The model's name, unique in a network.
   *
   * @defaultValue 'fusion'
   */
  readonly name?: string;
  /**
   * The modality that conditions the others.
   *
   * @defaultValue the first
   */
  readonly condition?: string;
}

/**
 * Fusion by feature-wise linear modulation: the conditioning vector c scales and shifts every other one,
 * `z̃_k = (1 + Δγ_k(c)) ⊙ z_k + β_k(c)` with linear Δγ_k and β_k; the results stand side by side.
 *
 * @remarks
 * Of two modalities the fused vector has the length of the one that is modulated; the conditioning one enters through
 * scale and shift alone.
 *
 * @throws MultigradError `invalid-option` for fewer than two inputs, a condition that is none of them, or an option out of
 * its range
 *
 * @example
 * ```ts
 * import { film } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const fusion = film({ inputs: { image: 3, text: 2 }, condition: 'text', seed: 1 });
 * const fused = fusion.predict([tf.ones([1, 3]), tf.ones([1, 2])]) as tf.Tensor;
 * console.log(fused.shape); // [ 1, 3 ]
 * ```
 *
 * @see Perez, Strub, de Vries, Dumoulin and Courville, "FiLM: Visual Reasoning with a General Conditioning Layer", AAAI
 * 2018 (https://arxiv.org/abs/1709.07871), equations 1 and 2
 */
export function film({ inputs, name = 'fusion', condition, ...given }: FilmOptions): LayersModel {
  const symbols = vectorInputs('film', name, inputs);
  const make = resolveWeights('film', name, given);
  const by = condition ?? Object.keys(inputs)[0]!;
  const c = own(symbols, by);
  if (c === undefined) {
    throw new MultigradError(
      'invalid-option',
      `Option \`condition\` of \`film\` should be one of ${Object.keys(inputs).join(', ')}. Found ${describeValue(condition)}.`,
    );
  }
  const modulated = Object.entries(symbols)
    .filter(([modality]) => modality !== by)
    .map(([modality, z]) => {
      const linear = (role: string): SymbolicTensor =>
        make
          .dense(`${role}/${modality}`, own(inputs, by)!, own(inputs, modality)!)
          .apply(c) as SymbolicTensor;
      const product = layers.multiply({ name: make.name(`product/${modality}`) });
      const scaled = product.apply([linear('scale'), z]) as SymbolicTensor;
      const sum = layers.add({ name: make.name(`sum/${modality}`) });
      return sum.apply([z, scaled, linear('shift')]) as SymbolicTensor;
    });
  const fused =
    modulated.length === 1
      ? modulated[0]!
      : (layers
          .concatenate({ name: make.name('concatenation') })
          .apply(modulated) as SymbolicTensor);
  return model({ name, inputs: Object.values(symbols), outputs: fused });
}
