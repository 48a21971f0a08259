import * as tf from '@tensorflow/tfjs-core';

type Compute = (...inputs: tf.Tensor[]) => tf.Tensor;

let seed = 1;
/** Seeded numbers, the same on every backend. */
function normal(shape: readonly number[], shift = 0): tf.Tensor {
  return tf.add(tf.randomNormal([...shape], 0, 1, 'float32', (seed += 1)), shift);
}

/** The value of an operation and its gradients with respect to its inputs. */
function gradients(compute: Compute, ...shapes: readonly number[][]): () => tf.Tensor[] {
  return () => {
    seed = 1;
    const inputs = shapes.map((shape) => normal(shape));
    const value = compute(...inputs);
    const weights = normal(value.shape);
    return [value, ...tf.grads((...xs) => tf.sum(tf.mul(compute(...xs), weights)))(inputs)];
  };
}

const as4 = (x: tf.Tensor | undefined): tf.Tensor4D => x as tf.Tensor4D;
const as5 = (x: tf.Tensor | undefined): tf.Tensor5D => x as tf.Tensor5D;
const image = [2, 7, 6, 3];
const rows = [5, 8];

/** What networks are trained with, by name. */
export const operations: Readonly<Record<string, () => tf.Tensor[]>> = {
  'conv2d same': gradients((x, f) => tf.conv2d(as4(x), as4(f), 1, 'same'), image, [3, 3, 3, 4]),
  'conv2d stride': gradients((x, f) => tf.conv2d(as4(x), as4(f), 2, 'valid'), image, [3, 2, 3, 5]),
  'conv2d 1 x 1': gradients((x, f) => tf.conv2d(as4(x), as4(f), 1, 'same'), image, [1, 1, 3, 8]),
  'conv2d wide': gradients(
    (x, f) => tf.conv2d(as4(x), as4(f), 1, 'same'),
    [2, 8, 8, 16],
    [3, 3, 16, 32],
  ),
  'conv2d transpose': gradients(
    (x, f) => tf.conv2dTranspose(as4(x), as4(f), [2, 14, 12, 4], 2, 'same'),
    image,
    [3, 3, 4, 3],
  ),
  'depthwise conv': gradients(
    (x, f) => tf.depthwiseConv2d(as4(x), as4(f), 1, 'same'),
    image,
    [3, 3, 3, 2],
  ),
  conv3d: gradients(
    (x, f) => tf.conv3d(as5(x), as5(f), 1, 'same'),
    [1, 3, 4, 4, 2],
    [2, 2, 2, 2, 3],
  ),
  'max-pool below zero': gradients((x) => tf.maxPool(as4(tf.sub(x!, 5)), 3, 2, 'same'), image),
  'average pool': gradients((x) => tf.avgPool(as4(x), 3, 2, 'same'), image),
  'max-pool 3d': gradients((x) => tf.maxPool3d(as5(tf.sub(x!, 5)), 2, 2, 'same'), [1, 4, 4, 5, 2]),
  'batch norm': gradients(
    (x, offset, scale) => {
      const { mean, variance } = tf.moments(x!, [0, 1, 2]);
      return tf.batchNorm(x!, mean, variance, offset as tf.Tensor1D, scale as tf.Tensor1D, 1e-3);
    },
    image,
    [3],
    [3],
  ),
  product: gradients((a, b) => tf.matMul(a!, b!), [33, 70], [70, 17]),
  'product, left transposed': gradients(
    (a, b) => tf.matMul(a!, b!, true, false),
    [70, 9],
    [70, 17],
  ),
  'product, right transposed': gradients(
    (a, b) => tf.matMul(a!, b!, false, true),
    [9, 70],
    [17, 70],
  ),
  'products in a batch': gradients((a, b) => tf.matMul(a!, b!), [3, 4, 6], [3, 6, 5]),
  'fused product': gradients(
    (a, b, bias) =>
      tf.fused.matMul({ a: a!, b: b!, bias: bias!, activation: 'relu', transposeB: true }),
    [9, 70],
    [17, 70],
    [17],
  ),
  relu: gradients((x) => tf.relu(x!), rows),
  relu6: gradients((x) => tf.relu6(tf.mul(x!, 6)), rows),
  'leaky relu': gradients((x) => tf.leakyRelu(x!, 0.1), rows),
  elu: gradients((x) => tf.elu(x!), rows),
  selu: gradients((x) => tf.selu(x!), rows),
  sigmoid: gradients((x) => tf.sigmoid(x!), rows),
  tanh: gradients((x) => tf.tanh(x!), rows),
  softplus: gradients((x) => tf.softplus(x!), rows),
  erf: gradients((x) => tf.erf(x!), rows),
  softmax: gradients((x) => tf.softmax(x!), rows),
  'log softmax': gradients((x) => tf.logSoftmax(x!), rows),
  'log sum exp': gradients((x) => tf.logSumExp(x!, 1), rows),
  'square root': gradients((x) => tf.sqrt(tf.add(tf.square(x!), 1)), rows),
  'power, quotient': gradients(
    (x, y) => tf.div(tf.pow(tf.abs(x!), 1.5), tf.add(tf.exp(y!), 1)),
    rows,
    [8],
  ),
  'mean, variance': gradients((x) => tf.moments(x!, 1).variance, rows),
  'maximum of rows': gradients((x) => tf.max(x!, 1), rows),
  'rows by index': gradients((x) => tf.gather(x!, tf.tensor1d([4, 0, 4, 2], 'int32')), rows),
  'columns by index': gradients((x) => tf.gather(x!, tf.tensor1d([1, 1, 7], 'int32'), 1), rows),
  'slices, joined': gradients(
    (x, y) => tf.concat([tf.slice(x!, [1, 2], [3, 4]), tf.slice(y!, [0, 0], [3, 3])], 1),
    rows,
    rows,
  ),
  'pad, transpose': gradients(
    (x) =>
      tf.transpose(
        tf.pad(x!, [
          [1, 0],
          [2, 1],
        ]),
      ),
    rows,
  ),
  'tile, stack': gradients((x) => tf.stack([tf.tile(x!, [2, 1]), tf.tile(x!, [2, 1])]), rows),
  'cumulative sum': gradients((x) => tf.cumsum(x!, 1), rows),
  reverse: gradients((x) => tf.reverse(x!, 1), rows),
  where: gradients((x, y) => tf.where(tf.greater(tf.range(0, 8), 3), x!, y!), rows, rows),
  'many rows, added': gradients((...xs) => tf.addN(xs), ...Array.from({ length: 19 }, () => rows)),
  'many rows, joined': gradients(
    (...xs) => tf.concat(xs),
    ...Array.from({ length: 12 }, () => rows),
  ),
  dropout: gradients((x) => tf.dropout(x!, 0.4, undefined, 3), rows),
  resize: gradients((x) => tf.image.resizeBilinear(as4(x), [5, 9]), [2, 6, 6, 3]),
  'large sum': () => [tf.sum(normal([300_000], 0.5)), tf.mean(normal([64, 5000]), 1)],
  // The engine finds numbers that are none by these.
  'not a number': () => {
    const x = tf.tensor1d([1, NaN, -Infinity, Infinity, -2]);
    return [tf.max(x), tf.max(tf.abs(x)), tf.sum(x), tf.mul(x, 2), tf.cast(tf.isNaN(x), 'int32')];
  },
};
