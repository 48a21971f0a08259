import { MultigradError, type OptionsOf, resolveOptions, own } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import {
  input,
  layers,
  type LayersModel,
  model,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { transformerBlock } from '../encoders/transformer-block.ts';
import { assertLayerName } from '../layer-names.ts';
import { GlobalAverage } from '../layers/global-average.ts';
import { LayerNormalization } from '../layers/layer-normalization.ts';
import { PositionEmbedding } from '../layers/position-embedding.ts';
import { tokensOf } from '../layers/tokens.ts';
import { assertDivides, weightOptions, type WeightOptions } from '../option-specs.ts';
import { SeededLayers } from '../weights/seeded-layers.ts';
import { assertTwo } from './vector-inputs.ts';

/** Descriptions of the options of {@link crossAttention}. */
const crossAttentionOptions = {
  /** Width of the tokens, an integer >= 1; the fused vector has that many for each modality. @defaultValue 64 */
  width: {
    kind: 'number',
    default: 64,
    minimum: 1,
    integer: true,
    description: 'Width of the tokens, an integer >= 1.',
  },
  /** Blocks for each modality, an integer >= 1. @defaultValue 1 */
  blocks: {
    kind: 'number',
    default: 1,
    minimum: 1,
    integer: true,
    description: 'Blocks for each modality, an integer >= 1.',
  },
  /** Attention heads, an integer >= 1 that divides `width`. @defaultValue 4 */
  heads: {
    kind: 'number',
    default: 4,
    minimum: 1,
    integer: true,
    description: 'Attention heads, an integer >= 1.',
  },
} as const;

/** Options of {@link crossAttention}. */
export interface CrossAttentionOptions
  extends OptionsOf<typeof crossAttentionOptions>, WeightOptions {
  /**
   * Shape of each modality's features without the batch, by modality, at least two: `[c]` for a vector (one token),
   * `[t, c]` for a sequence, `[h, w, c]` for a map (a token for each pixel).
   */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** The model's name, unique in a network. @defaultValue 'fusion' */
  readonly name?: string;
}

/**
 * Fusion by a cross-attention transformer: each modality's tokens look at those of all others.
 *
 * Features become tokens `t_k = P_k z_k + p_k` (linear, with learned positions). In each block
 * `t_k ← t_k + Attention(LN(t_k), LN([t_j, j ≠ k]))` and `t_k ← t_k + W_2 gelu(W_1 LN(t_k))`, all modalities from the
 * tokens of the block before. At the end layer norm and the average over tokens, the modalities' vectors side by side.
 *
 * @remarks
 * The paper's transformers have one source modality each and follow the source's first layer; here a block sees all other
 * modalities at once, as of the block before. There is no self-attention after them.
 *
 * @throws MultigradError `invalid-option` for fewer than two inputs or an option out of its range
 *
 * @example
 * ```ts
 * import { crossAttention } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const inputs = { image: [2, 2, 3], audio: [5, 4] };
 * const fusion = crossAttention({ inputs, width: 8, heads: 2, seed: 1 });
 * const fused = fusion.predict([tf.ones([1, 2, 2, 3]), tf.ones([1, 5, 4])]) as tf.Tensor;
 * console.log(fused.shape); // [ 1, 16 ]
 * ```
 *
 * @see Tsai, Bai, Liang, Kolter, Morency and Salakhutdinov, "Multimodal Transformer for Unaligned Multimodal Language
 * Sequences", ACL 2019 (https://arxiv.org/abs/1906.00295), section 3
 */
export function crossAttention({
  inputs,
  name = 'fusion',
  ...given
}: CrossAttentionOptions): LayersModel {
  const owner = 'crossAttention';
  assertLayerName(`Option \`name\` of \`${owner}\``, name);
  const options = resolveOptions(owner, specs, given);
  const { width, heads } = options;
  assertDivides(owner, 'heads', heads, 'width', width);
  assertTwo(owner, Object.keys(inputs).length);
  const make = new SeededLayers(name, options.seed, options.initialisation);
  const symbols = Object.entries(inputs).map(([modality, shape]): [string, SymbolicTensor] => {
    assertLayerName(`A modality in option \`inputs\` of \`${owner}\``, modality);
    assertShape(owner, modality, shape);
    return [modality, input({ name: make.name(modality), shape: [...shape] })];
  });
  let tokens = symbols.map(([modality, z]): [string, SymbolicTensor] => {
    const projection = make.dense(`${modality}/projection`, own(inputs, modality)!.at(-1)!, width);
    const projected = projection.apply(tokensOf(make.name(`${modality}/tokens`), z));
    const position = new PositionEmbedding(make.config(`${modality}/position`));
    return [modality, position.apply(projected) as SymbolicTensor];
  });
  for (let block = 1; block <= options.blocks; block++) {
    tokens = tokens.map(([modality, own]) => {
      const others = tokens.filter(([other]) => other !== modality).map(([, other]) => other);
      const context = joinTokens(make.name(`${modality}/block${block}/others`), others);
      return [
        modality,
        transformerBlock(make, `${modality}/block${block}`, own, heads, { context }),
      ];
    });
  }
  const pooled = tokens.map(([modality, own]) => {
    const norm = new LayerNormalization({ name: make.name(`${modality}/norm`) }).apply(own);
    const average = new GlobalAverage({ name: make.name(`${modality}/average`) });
    return average.apply(norm) as SymbolicTensor;
  });
  const joined = layers.concatenate({ name: make.name('concatenation') }).apply(pooled);
  return model({
    name,
    inputs: symbols.map(([, symbol]) => symbol),
    outputs: joined as SymbolicTensor,
  });
}

/** Sequences one after the other. */
export function joinTokens(name: string, sequences: readonly SymbolicTensor[]): SymbolicTensor {
  if (sequences.length === 1) return sequences[0]!;
  return layers.concatenate({ name, axis: 1 }).apply([...sequences]) as SymbolicTensor;
}

function assertShape(owner: string, modality: string, shape: unknown): void {
  const fits =
    Array.isArray(shape) &&
    shape.length > 0 &&
    shape.every((size) => Number.isSafeInteger(size) && size >= 1);
  if (fits) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`inputs.${modality}\` of \`${owner}\` should be an array of integers >= 1, at least one. ` +
      `Found ${describeValue(shape)}.`,
  );
}

const specs = { ...crossAttentionOptions, ...weightOptions };
