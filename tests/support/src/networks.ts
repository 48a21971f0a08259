import * as tf from '@tensorflow/tfjs-core';

/** A network of bare operations with three objectives, for comparing gradients. */
export interface ToyNetwork {
  readonly variables: readonly tf.Variable[];
  /** The objectives; the same values at every call. */
  readonly losses: () => { readonly a: tf.Scalar; readonly b: tf.Scalar; readonly c: tf.Scalar };
  readonly dispose: () => void;
}

const batch = 6;
const classes = 4;

function threeLosses(logits: tf.Tensor2D, labels: tf.Tensor2D): ReturnType<ToyNetwork['losses']> {
  return {
    a: tf.losses.softmaxCrossEntropy(labels, logits),
    b: tf.losses.softmaxCrossEntropy(tf.reverse(labels, 1), logits),
    c: tf.mean(tf.square(logits)),
  };
}

function network(
  shapes: readonly number[][],
  inputShape: number[],
  logits: (input: tf.Tensor, variables: readonly tf.Variable[]) => tf.Tensor2D,
): ToyNetwork {
  const variables = shapes.map((shape, index) =>
    tf.tidy(() => tf.variable(tf.mul(tf.randomNormal(shape, 0, 1, 'float32', 11 + index), 0.3))),
  );
  const input = tf.randomNormal([batch, ...inputShape], 0, 1, 'float32', 5);
  const labels = tf.tidy(() => {
    const indices = tf.tensor1d(
      Array.from({ length: batch }, (_, i) => i % classes),
      'int32',
    );
    return tf.cast(tf.oneHot(indices, classes), 'float32') as tf.Tensor2D;
  });
  return {
    variables,
    losses: () => threeLosses(logits(input, variables), labels),
    dispose: () => {
      tf.dispose([...variables]);
      tf.dispose([input, labels]);
    },
  };
}

/** Two dense layers. */
export function multilayerPerceptron(): ToyNetwork {
  return network([[9, 16], [16], [16, classes], [classes]], [9], (input, [w1, b1, w2, b2]) => {
    const hidden = tf.relu(
      tf.add(tf.matMul(input as tf.Tensor2D, w1 as unknown as tf.Tensor2D), b1!),
    );
    return tf.add(tf.matMul(hidden as tf.Tensor2D, w2 as unknown as tf.Tensor2D), b2!);
  });
}

/** Two convolutions with max-pooling. */
export function convolutionalNetwork(): ToyNetwork {
  return network(
    [[3, 3, 2, 4], [4], [3, 3, 4, 5], [5], [5, classes]],
    [9, 9, 2],
    (input, [f1, b1, f2, b2, w]) => {
      let x = tf.relu(
        tf.add(tf.conv2d(input as tf.Tensor4D, f1 as unknown as tf.Tensor4D, 1, 'same'), b1!),
      );
      x = tf.maxPool(x as tf.Tensor4D, 3, 2, 'same');
      x = tf.relu(
        tf.add(tf.conv2d(x as tf.Tensor4D, f2 as unknown as tf.Tensor4D, 2, 'same'), b2!),
      );
      return tf.matMul(tf.mean(x, [1, 2]) as unknown as tf.Tensor2D, w as unknown as tf.Tensor2D);
    },
  );
}

/** A convolution with batch normalisation and dropout; the dropout mask is the same at every call. */
export function normalisedNetwork(): ToyNetwork {
  return network(
    [[3, 3, 2, 6], [6], [6], [6, classes]],
    [8, 8, 2],
    (input, [filter, scale, offset, w]) => {
      const x = tf.conv2d(input as tf.Tensor4D, filter as unknown as tf.Tensor4D, 1, 'same');
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      const normal = tf.relu(
        tf.batchNorm(
          x,
          mean as tf.Tensor1D,
          variance as tf.Tensor1D,
          offset as unknown as tf.Tensor1D,
          scale as unknown as tf.Tensor1D,
          1e-5,
        ),
      );
      const dropped = tf.dropout(tf.mean(normal, [1, 2]), 0.4, undefined, 3);
      return tf.matMul(dropped as unknown as tf.Tensor2D, w as unknown as tf.Tensor2D);
    },
  );
}
