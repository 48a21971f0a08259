import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import { input, type LayersModel, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { assertLayerName } from '../layer-names.ts';
import { LayerNormalization } from '../layers/layer-normalization.ts';
import { PositionEmbedding } from '../layers/position-embedding.ts';
import { TokenEmbedding } from '../layers/token-embedding.ts';
import { TokenPool } from '../layers/token-pool.ts';
import {
  assertDivides,
  assertPresent,
  countOption,
  weightOptions,
  type WeightOptions,
} from '../option-specs.ts';
import { chain, SeededLayers } from '../weights/seeded-layers.ts';
import { stage } from './stage.ts';
import { transformerBlock } from './transformer-block.ts';

// The deviation of token and position embeddings in BERT.
const deviation = 0.02;

/** Descriptions of the options of {@link tokenTransformer}. */
const tokenTransformerOptions = {
  /** Length of the vector of a token and of the feature vector, an integer >= 1. @defaultValue 64 */
  width: {
    kind: 'number',
    default: 64,
    minimum: 1,
    integer: true,
    description: 'Length of the vector of a token, an integer >= 1.',
  },
  /** Number of blocks, an integer >= 1. @defaultValue 2 */
  blocks: {
    kind: 'number',
    default: 2,
    minimum: 1,
    integer: true,
    description: 'Number of blocks, an integer >= 1.',
  },
  /** Attention heads, an integer >= 1 that divides `width`. @defaultValue 4 */
  heads: {
    kind: 'number',
    default: 4,
    minimum: 1,
    integer: true,
    description: 'Attention heads, an integer >= 1.',
  },
  /**
   * Whether the tokens are averaged to one vector; else they stay a sequence, n × length × width, zero where padding
   * stands, for cross-attention.
   *
   * @defaultValue true
   */
  pool: {
    kind: 'boolean',
    default: true,
    description: 'Whether the tokens are averaged to one vector.',
  },
} as const;

/** Options of {@link tokenTransformer}. */
export interface TokenTransformerOptions
  extends OptionsOf<typeof tokenTransformerOptions>, WeightOptions {
  /** The encoder's name, unique in a network; its variables are called `<name>/tokens/embedding` and so on. */
  readonly name: string;
  /** Number of different tokens, padding included, an integer >= 2: tokens are integers from 0 to `vocabulary` − 1. */
  readonly vocabulary: number;
  /** Tokens of a sequence, padding included, an integer >= 1. */
  readonly length: number;
}

/**
 * A transformer encoder of token sequences, such as words of a text: n × length token numbers in, n × width out.
 *
 * A learned vector for each token, plus one for each position → blocks `y = x + Attention(LN(x))`,
 * `z = y + W_2 gelu(W_1 LN(y))` with four times the width inside → layer norm → average over tokens. Token 0 is padding, at
 * the end or anywhere: no token attends to it (its score is −10⁹ before the softmax) and it is not averaged, so it changes
 * neither features nor gradients. A sequence of padding alone gives zeros. Stage: `encoder`.
 *
 * @remarks
 * Layer norm stands before attention and dense layers ("pre-norm"); in the paper it stands behind them, and positions are
 * sines. Token and position vectors start normal with deviation 0.02. There is no dropout. Token numbers out of range are
 * errors on cpu, wasm and native TensorFlow.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { tokenTransformer } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const encoder = tokenTransformer({ name: 'text', vocabulary: 20, length: 4, width: 8, heads: 2 });
 * const tokens = tf.tensor2d([[3, 7, 0, 0], [5, 5, 19, 2]], [2, 4], 'int32'); // 0: padding
 * console.log((encoder.predict(tokens) as tf.Tensor).shape); // [ 2, 8 ]
 * ```
 *
 * @see Vaswani et al., "Attention Is All You Need", NeurIPS 2017 (https://arxiv.org/abs/1706.03762), section 3
 * @see Devlin et al., "BERT", NAACL 2019 (https://arxiv.org/abs/1810.04805): learned positions
 */
export function tokenTransformer({ name, ...given }: TokenTransformerOptions): LayersModel {
  assertLayerName('Option `name` of `tokenTransformer`', name);
  assertPresent('tokenTransformer', given, ['vocabulary', 'length']);
  const options = resolveOptions('tokenTransformer', specs, given);
  const { vocabulary, length, width, heads, seed } = options;
  assertDivides('tokenTransformer', 'heads', heads, 'width', width);
  const make = new SeededLayers(name, seed, options.initialisation);
  const tokens = input({ name: make.name('sequence'), shape: [length] });
  const encoder = stage(make.name('encoder'), [length], (padded) => {
    let x = chain(padded, [
      new TokenEmbedding({ name: make.name('tokens'), vocabulary, width, deviation, seed }),
      new PositionEmbedding(make.config('position')),
    ]);
    for (let k = 1; k <= options.blocks; k++)
      x = transformerBlock(make, `block${k}`, x, heads, { padded });
    const normed = new LayerNormalization({ name: make.name('norm') }).apply(x) as SymbolicTensor;
    const pool = new TokenPool({
      name: make.name('pool'),
      pool: options.pool ? 'average' : 'none',
    });
    return pool.apply([normed, padded]) as SymbolicTensor;
  });
  return model({ name, inputs: tokens, outputs: encoder.apply(tokens) as SymbolicTensor });
}

const specs = {
  ...tokenTransformerOptions,
  ...weightOptions,
  vocabulary: countOption('Number of different tokens, padding included', 2, 2),
  length: countOption('Tokens of a sequence', 32),
};
