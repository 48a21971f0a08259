import { multiTaskNetwork, tokenLstm, tokenTransformer } from '@multigrad/models';
import { input, layers, model } from '@tensorflow/tfjs-layers';
import { labels, tokens } from './random-batch.mjs';

const vocabulary = 1000;
const width = 128;

/** An LSTM over 50 tokens, 128 units, and a head for each of two tasks on its last state. */
export const recurrent = {
  batchSize: 64,
  make: (batchSize) =>
    twoTasks(tokenLstm({ name: 'trunk', vocabulary, length: 50, width, units: width }), {
      batchSize,
      length: 50,
    }),
};

/** The same LSTM made of `tf.layers.embedding` and `tf.layers.lstm`, as users of TensorFlow.js write it. */
export const stockRecurrent = {
  batchSize: 64,
  make(batchSize) {
    const tokens = input({ name: 'trunk/tokens', shape: [50] });
    const vectors = layers
      .embedding({ name: 'trunk/embedding', inputDim: vocabulary, outputDim: width })
      .apply(tokens);
    const state = layers
      .lstm({
        name: 'trunk/lstm',
        units: width,
        recurrentActivation: 'sigmoid',
        recurrentInitializer: 'glorotUniform',
      })
      .apply(vectors);
    return twoTasks(model({ name: 'trunk', inputs: tokens, outputs: state }), {
      batchSize,
      length: 50,
    });
  },
};

/** A transformer of 4 blocks over 64 tokens, 128 wide, 4 heads, its tokens averaged for two tasks. */
export const transformer = {
  batchSize: 32,
  make: (batchSize) =>
    twoTasks(
      tokenTransformer({ name: 'trunk', vocabulary, length: 64, width, blocks: 4, heads: 4 }),
      {
        batchSize,
        length: 64,
      },
    ),
};

function twoTasks(trunk, { batchSize, length }) {
  const network = multiTaskNetwork({
    trunk,
    tasks: {
      left: { kind: 'classification', classes: 10 },
      right: { kind: 'classification', classes: 10 },
    },
    seed: 1,
  });
  return {
    network,
    inputs: tokens(batchSize, length, vocabulary),
    targets: { left: labels(batchSize), right: labels(batchSize) },
  };
}
