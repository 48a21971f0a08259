// Two contrastive losses over the whole batch, by as many ranks as there are: losses and weights after some steps.
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { gatherSamples, MultiObjectiveTrainer } from '@multigrad/core';
import { randomState, resumeRandom } from '@multigrad/core/strategy';
import { gradientExchange, shardBatches } from '@multigrad/distributed';
import { openRanks } from '@multigrad/distributed/node';
import { mgda } from '@multigrad/strategy-mgda';
import * as tf from '@tensorflow/tfjs-core';

const communicator = await openRanks();
const together = communicator.size > 1;
await tf.setBackend('cpu');
const numbers = (what, size) => {
  const random = resumeRandom(randomState(2, what));
  return Float32Array.from({ length: size }, () => 2 * random.uniform() - 1);
};
const variables = new Map(
  ['image', 'text'].map((name) => [name, tf.variable(tf.tensor2d(numbers(name, 15), [5, 3]))]),
);

/** −mean log softmax of each own sample's product with its partner, among those with all partners. */
function contrast(own, partners, allPartners) {
  const products = tf.matMul(own, allPartners, false, true);
  return tf.mean(tf.sub(tf.logSumExp(products, 1), tf.sum(tf.mul(own, partners), 1)));
}

const trainer = new MultiObjectiveTrainer({
  objectives: ({ x, y }) => {
    const image = tf.tanh(tf.matMul(x, variables.get('image')));
    const text = tf.tanh(tf.matMul(y, variables.get('text')));
    const [images, texts] = [gatherSamples(image), gatherSamples(text)];
    return { toText: contrast(image, text, texts), toImage: contrast(text, image, images) };
  },
  variables,
  strategy: mgda(),
  optimizer: tf.train.sgd(0.5),
  ...(together ? { exchange: gradientExchange(communicator), synchronise: true } : {}),
});
const batches = function* () {
  for (let step = 0; step < 4; step += 1) {
    const part = (what) => tf.tensor2d(numbers(`${what} ${step}`, 11 * 5), [11, 5]);
    yield { x: part('x'), y: part('y') };
  }
};
const losses = [];
await trainer.fit(together ? shardBatches(batches, communicator) : batches, {
  epochs: 1,
  callbacks: [{ onBatchEnd: (_, report) => losses.push(...Object.values(report.losses)) }],
});
const weights = [...variables.values()].flatMap((one) => [...one.dataSync()]);
if (communicator.rank === 0) console.log(JSON.stringify({ losses, weights }));
await communicator.close();
