import * as tf from '@tensorflow/tfjs-core';
import type { SampleWay } from '../sample-gramian.ts';

/** A network with one loss for each sample of a batch. */
export interface SampleNetwork {
  readonly variables: readonly tf.Variable[];
  /** The losses, of shape [batch]; the same values at every call. */
  readonly losses: () => tf.Tensor;
  /** How the Gramian of each variable is computed, where nothing is forced. */
  readonly ways: readonly SampleWay[];
  readonly dispose: () => void;
}

type Layers = (x: tf.Tensor, weights: readonly tf.Tensor[]) => tf.Tensor;

let seed = 1;

function normal(shape: readonly number[], scale = 1): tf.Tensor {
  seed += 1;
  const own = seed;
  return tf.tidy(() => tf.mul(tf.randomNormal([...shape], 0, 1, 'float32', own), scale));
}

/** Shapes of weights, the shape of one sample, the network up to logits or other numbers, and the ways expected. */
function network(
  shapes: readonly (readonly number[])[],
  sample: readonly number[],
  layers: Layers,
  ways: readonly SampleWay[],
  batch = 7,
): () => SampleNetwork {
  return () => {
    const variables = shapes.map((shape) => tf.tidy(() => tf.variable(normal(shape, 0.4))));
    const x = normal([batch, ...sample]);
    return {
      variables,
      losses: () => {
        const y = tf.reshape(layers(x, variables), [batch, -1]);
        return tf.sum(tf.square(tf.sub(tf.sigmoid(y), 0.2)), 1);
      },
      ways,
      dispose: () => tf.dispose([...variables, x]),
    };
  };
}

const products = 'products' as const;
const gradients = 'gradients' as const;
const oneByOne = 'sample by sample' as const;

const dense = (x: tf.Tensor, kernel: tf.Tensor, bias?: tf.Tensor): tf.Tensor => {
  const y = tf.matMul(x, kernel);
  return bias === undefined ? y : tf.add(y, bias);
};

/** Needs more than native TensorFlow's convolution, which is padded by `same` or `valid` alone. */
export const convolutionPaddedByNumber: () => SampleNetwork = network(
  [[3, 2, 2, 3]],
  [6, 5, 2],
  (x, [f]) => tf.conv2d(x as tf.Tensor4D, f! as tf.Tensor4D, 2, 1, 'NHWC', 1, 'floor'),
  [gradients],
);

export const sampleNetworks: Readonly<Record<string, () => SampleNetwork>> = {
  'a perceptron': network(
    [[9, 16], [16], [16, 4], [4]],
    [9],
    (x, [w1, b1, w2, b2]) => dense(tf.relu(dense(x, w1!, b1)), w2!, b2),
    [products, gradients, products, gradients],
  ),
  'a batch as large as its layers': network(
    [[7, 7], [7], [7, 7], [7]],
    [7],
    (x, [w1, b1, w2, b2]) => dense(tf.tanh(dense(x, w1!, b1)), w2!, b2),
    [products, gradients, products, gradients],
  ),
  'fused dense layers': network(
    [[9, 16], [16], [16, 4], [4]],
    [9],
    (x, [w1, b1, w2, b2]) => {
      const hidden = tf.fused.matMul({
        a: x,
        b: w1!,
        bias: b1!,
        activation: 'relu',
      });
      return tf.fused.matMul({ a: hidden, b: w2!, bias: b2!, activation: 'linear' });
    },
    [products, gradients, products, gradients],
  ),
  LeNet: network(
    [[5, 5, 1, 6], [6], [5, 5, 6, 8], [8], [32, 10], [10]],
    [20, 20, 1],
    (x, [f1, c1, f2, c2, w, b]) => {
      let y: tf.Tensor = tf.relu(
        tf.add(tf.conv2d(x as tf.Tensor4D, f1! as tf.Tensor4D, 1, 'valid'), c1!),
      );
      y = tf.maxPool(y as tf.Tensor4D, 2, 2, 'valid');
      y = tf.relu(tf.add(tf.conv2d(y as tf.Tensor4D, f2! as tf.Tensor4D, 1, 'valid'), c2!));
      y = tf.maxPool(y as tf.Tensor4D, 2, 2, 'valid');
      return dense(tf.reshape(y, [7, -1]), w!, b);
    },
    [gradients, gradients, gradients, gradients, products, gradients],
  ),
  'convolutions with strides and padding': network(
    [
      [3, 2, 2, 4],
      [3, 3, 4, 5],
      [3, 3, 5, 3],
    ],
    [11, 9, 2],
    (x, [f1, f2, f3]) => {
      let y: tf.Tensor = tf.conv2d(x as tf.Tensor4D, f1! as tf.Tensor4D, [2, 1], 'same');
      y = tf.conv2d(tf.tanh(y) as tf.Tensor4D, f2! as tf.Tensor4D, 1, 'same');
      y = tf.conv2d(tf.tanh(y) as tf.Tensor4D, f3! as tf.Tensor4D, 2, 'valid');
      return tf.mean(y, [1, 2]);
    },
    [gradients, gradients, gradients],
  ),
  'fused convolutions': network(
    [[3, 3, 2, 4], [4], [3, 3, 4, 3], [3]],
    [6, 6, 2],
    (x, [f1, b1, f2, b2]) => {
      const y = tf.fused.conv2d({
        x: x as tf.Tensor4D,
        filter: f1! as tf.Tensor4D,
        strides: 1,
        pad: 'same',
        bias: b1!,
        activation: 'relu',
      });
      return tf.fused.conv2d({
        x: y,
        filter: f2! as tf.Tensor4D,
        strides: 2,
        pad: 'valid',
        bias: b2!,
        activation: 'linear',
      });
    },
    [gradients, gradients, gradients, gradients],
  ),
  'a wide kernel on one pixel': network(
    [[1, 1, 40, 30]],
    [1, 1, 40],
    (x, [f]) => tf.conv2d(x as tf.Tensor4D, f! as tf.Tensor4D, 1, 'same'),
    [products],
  ),
  'layers over positions': network(
    [[30, 40], [40], [40, 30]],
    [3, 30],
    (x, [w1, b1, w2]) => {
      const flat = tf.reshape(x, [-1, 30]);
      return dense(tf.relu(dense(flat, w1!, b1)), w2!);
    },
    [products, gradients, products],
  ),
  'time before batch': network(
    [
      [5, 6],
      [6, 6],
    ],
    [3, 5],
    (x, [w, u]) => {
      const y = tf.reshape(dense(tf.reshape(tf.transpose(x, [1, 0, 2]), [21, 5]), w!), [3, 7, 6]);
      const steps = tf.unstack(tf.tanh(y));
      return tf.transpose(
        tf.stack(
          steps.map((one) => dense(one, u!)),
          1,
        ),
        [0, 2, 1],
      );
    },
    [gradients, gradients],
  ),
  'tied weights': network(
    [[6, 9]],
    [6],
    (x, [w]) => tf.matMul(tf.tanh(dense(x, w!)), w!, false, true),
    [products],
  ),
  'a transposed kernel': network(
    [
      [9, 6],
      [9, 6],
    ],
    [6],
    (x, [w, v]) =>
      dense(tf.tanh(dense(x, tf.transpose(w!))), tf.transpose(tf.transpose(v!, [1, 0]), [1, 0])),
    [products, oneByOne],
  ),
  'scales and offsets of every shape': network(
    [[4], [3, 1], [3, 4], [1], []],
    [3, 4],
    (x, [a, b, c, d, e]) => tf.sub(tf.add(tf.mul(tf.add(tf.mul(x, a!), b!), c!), d!), e!),
    [gradients, gradients, gradients, gradients, gradients],
  ),
  'numbers of every sample': network(
    [[7, 3], [3]],
    [3],
    (x, [own, shared]) => tf.add(tf.mul(x, own!), shared!),
    [products, gradients],
  ),
  'a depthwise convolution': network(
    [[3, 3, 2, 2]],
    [5, 5, 2],
    (x, [f]) => tf.depthwiseConv2d(x as tf.Tensor4D, f! as tf.Tensor4D, 1, 'same'),
    [oneByOne],
  ),
  'a normalised kernel': network(
    [[5, 4], [4]],
    [5],
    (x, [w, b]) => dense(x, tf.div(w!, tf.norm(w!, 2, 0)), b),
    [oneByOne, gradients],
  ),
  'layer normalisation of operations': network(
    [[5, 8], [8], [8]],
    [5],
    (x, [w, scale, offset]) => {
      const { mean, variance } = tf.moments(dense(x, w!), 1, true);
      const y = tf.div(tf.sub(dense(x, w!), mean), tf.sqrt(tf.add(variance, 1e-5)));
      return tf.add(tf.mul(y, scale!), offset!);
    },
    [gradients, gradients, gradients],
  ),
  'a custom gradient': network(
    [
      [5, 8],
      [8, 2],
    ],
    [5],
    (x, [w, v]) => {
      const halved = tf.customGrad((y, save) => {
        (save as tf.GradSaveFunc)([y as tf.Tensor]);
        return {
          value: tf.exp(tf.mul(y as tf.Tensor, 0.1)),
          gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => tf.mul(tf.mul(dy, saved!), 0.5),
        };
      });
      return dense(halved(dense(x, w!)), v!);
    },
    [products, products],
  ),
};
