import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { dataRandom, type Program } from './program.ts';

const [letters, steps, heads, size] = [9, 7, 2, 4];
const width = heads * size;

/** How the products of attention are computed. */
interface Products {
  /** batch × steps × width times width × heads × size: batch × heads × steps × size. */
  project(x: tf.Tensor3D, kernel: tf.Tensor3D): tf.Tensor;
  /** Inner products of queries and keys, each batch × heads × steps × size: batch × heads × queries × keys. */
  compare(queries: tf.Tensor, keys: tf.Tensor): tf.Tensor;
  /** Values under their weights: batch × heads × steps × size. */
  mix(weights: tf.Tensor, values: tf.Tensor): tf.Tensor;
  /** All heads times heads × size × width: batch × steps × width. */
  join(mixed: tf.Tensor, kernel: tf.Tensor3D): tf.Tensor;
}

const byEinsum: Products = {
  project: (x, kernel) => tf.einsum('btw,whs->bhts', x, kernel),
  compare: (queries, keys) => tf.einsum('bhqs,bhks->bhqk', queries, keys),
  mix: (weights, values) => tf.einsum('bhqk,bhks->bhqs', weights, values),
  join: (mixed, kernel) => tf.einsum('bhts,hsw->btw', mixed, kernel),
};

const byMatMul: Products = {
  project: (x, kernel) => {
    const flat = tf.matMul(
      tf.reshape(x, [-1, width]) as tf.Tensor2D,
      tf.reshape(kernel, [width, width]) as tf.Tensor2D,
    );
    return tf.transpose(tf.reshape(flat, [-1, steps, heads, size]), [0, 2, 1, 3]);
  },
  compare: (queries, keys) => tf.matMul(queries, keys, false, true),
  mix: (weights, values) => tf.matMul(weights, values),
  join: (mixed, kernel) => {
    const flat = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [-1, width]) as tf.Tensor2D;
    return tf.reshape(tf.matMul(flat, tf.reshape(kernel, [width, width]) as tf.Tensor2D), [
      -1,
      steps,
      width,
    ]);
  },
};

/** The next letter at every step, by one block of causal attention. */
function train(products: Products): Promise<number[]> {
  const random = dataRandom('transformer');
  const texts = Array.from({ length: 8 }, () => {
    const [first, stride] = [random.integer(letters), 1 + random.integer(3)];
    return Array.from({ length: steps + 1 }, (_, i) => (first + i * stride) % letters);
  });
  const x = tf.tensor2d(
    texts.map((text) => text.slice(0, -1)),
    [8, steps],
    'int32',
  );
  const wanted = tf.tidy(() =>
    tf.cast(
      tf.oneHot(
        tf.tensor2d(
          texts.map((text) => text.slice(1)),
          [8, steps],
          'int32',
        ),
        letters,
      ),
      'float32',
    ),
  );
  const variable = (shape: number[]): tf.Variable =>
    tf.tidy(() => tf.variable(tf.randomNormal(shape, 0, 0.3)));
  const [letter, place] = [variable([letters, width]), variable([steps, width])];
  const kernels = Array.from({ length: 3 }, () => variable([width, heads, size]));
  const joined = variable([heads, size, width]);
  const norms = [tfl.layers.layerNormalization({}), tfl.layers.layerNormalization({})];
  const [wide, narrow] = [
    tfl.layers.dense({ units: 2 * width, activation: 'gelu' }),
    tfl.layers.dense({ units: width }),
  ];
  const forward = (): tf.Scalar => {
    const embedded = tf.add<tf.Tensor3D>(tf.gather(letter, x), place);
    const normal = norms[0]!.apply(embedded) as tf.Tensor3D;
    const [queries, keys, values] = kernels.map((kernel) =>
      products.project(normal, kernel as tf.Tensor as tf.Tensor3D),
    ) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const scores = tf.mul(products.compare(queries, keys), 1 / Math.sqrt(size));
    const later = tf.sub(1, tf.linalg.bandPart(tf.ones([steps, steps]), -1, 0));
    const weights = tf.softmax(tf.sub(scores, tf.mul(later, 1e9)));
    const attended = tf.add(
      embedded,
      products.join(products.mix(weights, values), joined as tf.Tensor as tf.Tensor3D),
    );
    const hidden = wide.apply(norms[1]!.apply(attended)) as tf.Tensor;
    const output = tf.add<tf.Tensor3D>(attended, narrow.apply(hidden) as tf.Tensor);
    const logits = tf.matMul(
      tf.reshape(output, [-1, width]) as tf.Tensor2D,
      letter as tf.Tensor2D,
      false,
      true,
    );
    return tf.losses.softmaxCrossEntropy(tf.reshape(wanted, [-1, letters]), logits);
  };
  const optimizer = tf.train.adam(0.01);
  const losses: number[] = [];
  for (let step = 0; step < 4; step += 1) {
    const loss = optimizer.minimize(forward, true)!;
    losses.push(loss.dataSync()[0]!);
    loss.dispose();
  }
  optimizer.dispose();
  [...norms, wide, narrow].forEach((layer) => layer.dispose());
  tf.dispose([x, wanted, letter, place, kernels, joined]);
  return Promise.resolve(losses);
}

export const transformer: readonly Program[] = [
  { name: 'transformer', run: () => train(byEinsum), onStock: () => train(byMatMul) },
];
