import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import { input, type LayersModel, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { assertLayerName } from '../layer-names.ts';
import { GlobalAverage } from '../layers/global-average.ts';
import { LayerNormalization } from '../layers/layer-normalization.ts';
import { PositionEmbedding } from '../layers/position-embedding.ts';
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

/** Descriptions of the options of {@link temporalTransformer}. */
const temporalTransformerOptions = {
  /** Width of the tokens and length of the feature vector, an integer >= 1. @defaultValue 64 */
  width: {
    kind: 'number',
    default: 64,
    minimum: 1,
    integer: true,
    description: 'Width of the tokens, an integer >= 1.',
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
   * Whether the tokens are averaged to one vector; else they stay a sequence, for cross-attention.
   *
   * @defaultValue true
   */
  pool: {
    kind: 'boolean',
    default: true,
    description: 'Whether the tokens are averaged to one vector.',
  },
} as const;

/** Options of {@link temporalTransformer}. */
export interface TemporalTransformerOptions
  extends OptionsOf<typeof temporalTransformerOptions>, WeightOptions {
  /** The encoder's name, unique in a network; its variables are called `<name>/projection/kernel` and so on. */
  readonly name: string;
  /** Steps of the sequence, an integer >= 1. */
  readonly length: number;
  /** Numbers at each step, such as mel bands, an integer >= 1. */
  readonly inputs: number;
}

/**
 * A transformer encoder of sequences: n × length × inputs in, n × width out.
 *
 * Linear projection to tokens → learned position embedding → blocks `y = x + Attention(LN(x))`,
 * `z = y + W_2 gelu(W_1 LN(y))` with four times the width inside → layer norm → average over time.
 * Stages: `projection`, `position`, `block1`, `block2`, …, `norm`, `average`.
 *
 * @remarks
 * Layer norm stands before attention and dense layers ("pre-norm"), which trains without a warm-up; in the paper it
 * stands behind them. There is no dropout.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { temporalTransformer } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const encoder = temporalTransformer({ name: 'audio', length: 6, inputs: 5, width: 8, heads: 2 });
 * console.log((encoder.predict(tf.zeros([3, 6, 5])) as tf.Tensor).shape); // [ 3, 8 ]
 * ```
 *
 * @see Vaswani et al., "Attention Is All You Need", NeurIPS 2017 (https://arxiv.org/abs/1706.03762), section 3
 * @see Xiong et al., "On Layer Normalization in the Transformer Architecture", ICML 2020
 * (https://arxiv.org/abs/2002.04745)
 */
export function temporalTransformer({ name, ...given }: TemporalTransformerOptions): LayersModel {
  assertLayerName('Option `name` of `temporalTransformer`', name);
  assertPresent('temporalTransformer', given, ['length', 'inputs']);
  const options = resolveOptions('temporalTransformer', specs, given);
  const { length, inputs, width, heads } = options;
  assertDivides('temporalTransformer', 'heads', heads, 'width', width);
  const make = new SeededLayers(name, options.seed, options.initialisation);
  const sequence = input({ name: make.name('sequence'), shape: [length, inputs] });
  let tokens = chain(sequence, [
    make.dense('projection', inputs, width),
    new PositionEmbedding(make.config('position')),
  ]);
  for (let k = 1; k <= options.blocks; k++) {
    const block = stage(make.name(`block${k}`), [length, width], (x) =>
      transformerBlock(make, `block${k}`, x, heads),
    );
    tokens = block.apply(tokens) as SymbolicTensor;
  }
  const pool = options.pool ? [new GlobalAverage({ name: make.name('average') })] : [];
  const behind = [new LayerNormalization({ name: make.name('norm') }), ...pool];
  return model({ name, inputs: sequence, outputs: chain(tokens, behind) });
}

const specs = {
  ...temporalTransformerOptions,
  ...weightOptions,
  length: countOption('Steps of the sequence', 32),
  inputs: countOption('Numbers at each step', 64),
};
