import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import { input, type LayersModel, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { assertLayerName } from '../layer-names.ts';
import { Lstm } from '../layers/lstm.ts';
import { TokenEmbedding } from '../layers/token-embedding.ts';
import { TokenPool } from '../layers/token-pool.ts';
import { assertPresent, countOption, weightOptions, type WeightOptions } from '../option-specs.ts';
import { SeededLayers } from '../weights/seeded-layers.ts';
import { stage } from './stage.ts';

/** Descriptions of the options of {@link tokenLstm}. */
const tokenLstmOptions = {
  /** Length of the vector of a token, an integer >= 1. @defaultValue 64 */
  width: {
    kind: 'number',
    default: 64,
    minimum: 1,
    integer: true,
    description: 'Length of the vector of a token, an integer >= 1.',
  },
  /** Numbers in the state, and length of the feature vector, an integer >= 1. @defaultValue 64 */
  units: {
    kind: 'number',
    default: 64,
    minimum: 1,
    integer: true,
    description: 'Numbers in the state, an integer >= 1.',
  },
  /**
   * `last`: the state behind the last token; `average`: the mean of the states behind each; `none`: all of them,
   * n × length × units, zero where padding stands, for cross-attention.
   *
   * @defaultValue 'last'
   */
  pool: {
    kind: 'choice',
    default: 'last',
    choices: ['last', 'average', 'none'],
    description: 'What the states come to: the last one, their mean, or all of them.',
  },
} as const;

/** Options of {@link tokenLstm}. */
export interface TokenLstmOptions extends OptionsOf<typeof tokenLstmOptions>, WeightOptions {
  /** The encoder's name, unique in a network; its variables are called `<name>/tokens/embedding` and so on. */
  readonly name: string;
  /** Number of different tokens, padding included, an integer >= 2: tokens are integers from 0 to `vocabulary` − 1. */
  readonly vocabulary: number;
  /** Tokens of a sequence, padding included, an integer >= 1. */
  readonly length: number;
}

/**
 * An LSTM encoder of token sequences, such as words of a text: n × length token numbers in, n × units out.
 *
 * A learned vector for each token → a long short-term memory
 * `[i, f, g, o] = x_t W + h_{t−1} U + b`, `c_t = σ(f) ⊙ c_{t−1} + σ(i) ⊙ tanh(g)`, `h_t = σ(o) ⊙ tanh(c_t)` → its last
 * state, or the mean of its states. Token 0 is padding, at the end or anywhere: it changes neither features nor gradients.
 * A sequence of padding alone gives zeros. Stage: `encoder`.
 *
 * @remarks
 * Token vectors start normal with deviation 1, the other weights uniform on ± 1/√units, as PyTorch's `Embedding` and `LSTM`
 * do; there is one bias where PyTorch has two. Token numbers out of range are errors on cpu, wasm and native TensorFlow.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { tokenLstm } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const encoder = tokenLstm({ name: 'text', vocabulary: 20, length: 4, width: 6, units: 8 });
 * const tokens = tf.tensor2d([[3, 7, 0, 0], [5, 5, 19, 2]], [2, 4], 'int32'); // 0: padding
 * console.log((encoder.predict(tokens) as tf.Tensor).shape); // [ 2, 8 ]
 * ```
 *
 * @see S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997
 * @see F. Gers, J. Schmidhuber, F. Cummins, "Learning to Forget", Neural Computation 12(10), 2000
 */
export function tokenLstm({ name, ...given }: TokenLstmOptions): LayersModel {
  assertLayerName('Option `name` of `tokenLstm`', name);
  assertPresent('tokenLstm', given, ['vocabulary', 'length']);
  const options = resolveOptions('tokenLstm', specs, given);
  const { vocabulary, length, width, units, pool, seed } = options;
  const make = new SeededLayers(name, seed, options.initialisation);
  const tokens = input({ name: make.name('sequence'), shape: [length] });
  const encoder = stage(make.name('encoder'), [length], (x) => {
    const vectors = new TokenEmbedding({
      name: make.name('tokens'),
      vocabulary,
      width,
      deviation: 1,
      seed,
    }).apply(x) as SymbolicTensor;
    const lstm = new Lstm({
      ...make.config('lstm'),
      units,
      output: pool === 'last' ? 'last' : 'sequence',
    });
    const states = lstm.apply([vectors, x]) as SymbolicTensor;
    if (pool === 'last') return states;
    return new TokenPool({ name: make.name('pool'), pool }).apply([states, x]) as SymbolicTensor;
  });
  return model({ name, inputs: tokens, outputs: encoder.apply(tokens) as SymbolicTensor });
}

const specs = {
  ...tokenLstmOptions,
  ...weightOptions,
  vocabulary: countOption('Number of different tokens, padding included', 2, 2),
  length: countOption('Tokens of a sequence', 32),
};
