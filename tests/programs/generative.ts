import { trainableVariables } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { barPictures, side } from './pictures.ts';
import { dataRandom, normalRows, type Program } from './program.ts';

/** A latent vector drawn around its mean. */
class Sampled extends tfl.layers.Layer {
  static readonly className = 'Sampled';

  override computeOutputShape(shapes: number[][]): number[] {
    return shapes[0]!;
  }

  override call([mean, logVariance]: tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const noise = tf.randomNormal(mean!.shape);
      return tf.add(mean!, tf.mul(tf.exp(tf.mul(logVariance!, 0.5)), noise));
    });
  }
}

tf.serialization.registerClass(Sampled);

/** Reconstructs pictures through a latent vector whose distribution is held near the normal one. */
const variationalAutoencoder: Program = {
  name: 'variational autoencoder',
  run: () => {
    const { pictures, labels } = barPictures('vae', 16, 4);
    const pixels = side * side;
    const flat = tf.reshape(pictures, [labels.length, pixels]);
    const input = tfl.input({ shape: [pixels] });
    const hidden = tfl.layers.dense({ units: 16, activation: 'relu' }).apply(input);
    const mean = tfl.layers.dense({ units: 2 }).apply(hidden) as tfl.SymbolicTensor;
    const logVariance = tfl.layers.dense({ units: 2 }).apply(hidden) as tfl.SymbolicTensor;
    const latent = new Sampled({}).apply([mean, logVariance]) as tfl.SymbolicTensor;
    const encoder = tfl.model({ inputs: input, outputs: [mean, logVariance, latent] });
    const decoder = tfl.sequential({
      layers: [
        tfl.layers.dense({ inputShape: [2], units: 16, activation: 'relu' }),
        tfl.layers.dense({ units: pixels, activation: 'sigmoid' }),
      ],
    });
    const optimizer = tf.train.adam(0.01);
    const losses: number[] = [];
    for (let step = 0; step < 5; step += 1) {
      const loss = optimizer.minimize(() => {
        const [m, v, z] = encoder.apply(flat) as [tf.Tensor, tf.Tensor, tf.Tensor];
        const rebuilt = decoder.apply(z) as tf.Tensor;
        const reconstruction = tf.mul(tf.losses.meanSquaredError(flat, rebuilt), pixels);
        const divergence = tf.mul(
          tf.sum(tf.sub(tf.sub(tf.add(1, v), tf.square(m)), tf.exp(v)), -1),
          -0.5,
        );
        return tf.mean<tf.Scalar>(tf.add(reconstruction, divergence));
      }, true)!;
      losses.push(loss.dataSync()[0]!);
      loss.dispose();
    }
    optimizer.dispose();
    encoder.dispose();
    decoder.dispose();
    tf.dispose([pictures, flat]);
    return Promise.resolve(losses);
  },
};

const classes = 4;
const latentSize = 6;

/** Pictures from a latent vector and a class. */
function generatorOf(): tfl.LayersModel {
  const start = side / 4;
  const inner = tfl.sequential({
    layers: [
      tfl.layers.dense({ inputShape: [latentSize], units: start * start * 8, activation: 'relu' }),
      tfl.layers.reshape({ targetShape: [start, start, 8] }),
      tfl.layers.conv2dTranspose({
        filters: 6,
        kernelSize: 3,
        strides: 2,
        padding: 'same',
        activation: 'relu',
        kernelInitializer: 'glorotNormal',
      }),
      tfl.layers.batchNormalization(),
      tfl.layers.conv2dTranspose({
        filters: 1,
        kernelSize: 5,
        strides: 2,
        padding: 'same',
        activation: 'tanh',
        kernelInitializer: 'glorotNormal',
      }),
    ],
  });
  const latent = tfl.input({ shape: [latentSize] });
  const label = tfl.input({ shape: [1] });
  const embedded = tfl.layers
    .embedding({ inputDim: classes, outputDim: latentSize, embeddingsInitializer: 'glorotNormal' })
    .apply(label) as tfl.SymbolicTensor;
  const flat = tfl.layers.flatten().apply(embedded) as tfl.SymbolicTensor;
  const joined = tfl.layers.multiply().apply([latent, flat]);
  return tfl.model({
    inputs: [latent, label],
    outputs: inner.apply(joined) as tfl.SymbolicTensor,
  });
}

/** Whether a picture is real, and of which class. */
function discriminatorOf(): tfl.LayersModel {
  const inner = tfl.sequential({
    layers: [
      tfl.layers.conv2d({
        inputShape: [side, side, 1],
        filters: 4,
        kernelSize: 3,
        strides: 2,
        padding: 'same',
      }),
      tfl.layers.leakyReLU({ alpha: 0.2 }),
      tfl.layers.dropout({ rate: 0.3 }),
      tfl.layers.conv2d({ filters: 6, kernelSize: 3, padding: 'same' }),
      tfl.layers.leakyReLU({ alpha: 0.2 }),
      tfl.layers.flatten(),
    ],
  });
  const picture = tfl.input({ shape: [side, side, 1] });
  const features = inner.apply(picture) as tfl.SymbolicTensor;
  return tfl.model({
    inputs: picture,
    outputs: [
      tfl.layers.dense({ units: 1, activation: 'sigmoid' }).apply(features) as tfl.SymbolicTensor,
      tfl.layers
        .dense({ units: classes, activation: 'softmax' })
        .apply(features) as tfl.SymbolicTensor,
    ],
  });
}

/** Generator and discriminator in turn, by `trainOnBatch`. */
const auxiliaryClassifierGan: Program = {
  name: 'ACGAN',
  run: async () => {
    const { pictures, labels } = barPictures('acgan', 8, classes);
    const loss = ['binaryCrossentropy', 'sparseCategoricalCrossentropy'];
    const discriminator = discriminatorOf();
    const critic = tf.train.adam(0.01, 0.5);
    discriminator.compile({ optimizer: critic, loss });
    const generator = generatorOf();
    const [latent, label] = [tfl.input({ shape: [latentSize] }), tfl.input({ shape: [1] })];
    discriminator.trainable = false;
    const combined = tfl.model({
      inputs: [latent, label],
      outputs: discriminator.apply(
        generator.apply([latent, label]) as tfl.SymbolicTensor,
      ) as tfl.SymbolicTensor[],
    });
    const maker = tf.train.adam(0.01, 0.5);
    combined.compile({ optimizer: maker, loss });
    const random = dataRandom('latent');
    const y = tf.tensor2d(labels.map((each) => [each]));
    const losses: number[] = [];
    for (let step = 0; step < 2; step += 1) {
      const z = tf.tensor2d(normalRows(random, labels.length, latentSize));
      const made = generator.predict([z, y]) as tf.Tensor;
      const x = tf.concat([pictures, made]);
      const real = tf.tidy(() => tf.concat([tf.fill([8, 1], 0.95), tf.zeros([8, 1])]));
      const both = tf.concat([y, y]);
      losses.push(...((await discriminator.trainOnBatch(x, [real, both])) as number[]));
      const trick = tf.ones([8, 1]);
      losses.push(...((await combined.trainOnBatch([z, y], [trick, y])) as number[]));
      tf.dispose([z, made, x, real, both, trick]);
    }
    combined.dispose();
    maker.dispose();
    critic.dispose();
    tf.dispose([pictures, y]);
    return losses;
  },
};

/** A critic whose gradient by its input is held near length 1, which takes second-order gradients. */
const wassersteinGan: Program = {
  name: 'WGAN-GP',
  run: () => {
    const random = dataRandom('wgan');
    const real = tf.tensor2d(normalRows(random, 16, 3).map((row) => row.map((v) => 2 + 0.5 * v)));
    const generator = tfl.sequential({
      layers: [
        tfl.layers.dense({ inputShape: [2], units: 8, activation: 'relu' }),
        tfl.layers.dense({ units: 3 }),
      ],
    });
    // TensorFlow.js's own second derivatives of smooth activations are wrong: those of relu serve as the reference.
    const critic = tfl.sequential({
      layers: [
        tfl.layers.dense({ inputShape: [3], units: 8, activation: 'relu' }),
        tfl.layers.dense({ units: 8, activation: 'relu' }),
        tfl.layers.dense({ units: 1 }),
      ],
    });
    const score = (x: tf.Tensor): tf.Tensor => critic.apply(x) as tf.Tensor;
    const [criticOptimizer, generatorOptimizer] = [
      tf.train.adam(0.01, 0.5),
      tf.train.adam(0.01, 0.5),
    ];
    const losses: number[] = [];
    for (let step = 0; step < 4; step += 1) {
      const [z, share] = [
        tf.tensor2d(normalRows(random, 16, 2)),
        tf.tensor2d(Array.from({ length: 16 }, () => [random.uniform()])),
      ];
      const ofCritic = criticOptimizer.minimize(
        () => {
          const made = generator.apply(z) as tf.Tensor;
          const between = tf.add(tf.mul(real, share), tf.mul(made, tf.sub(1, share)));
          const slopes = tf.grad((x) => tf.sum(score(x)))(between);
          const lengths = tf.sqrt(tf.add(tf.sum(tf.square(slopes), 1), 1e-12));
          const penalty = tf.mul(tf.mean(tf.square(tf.sub(lengths, 1))), 10);
          const distance = tf.sub(tf.mean(score(made)), tf.mean(score(real)));
          return tf.add<tf.Scalar>(distance, penalty);
        },
        true,
        trainableVariables(critic),
      )!;
      const ofGenerator = generatorOptimizer.minimize(
        () => tf.neg<tf.Scalar>(tf.mean(score(generator.apply(z) as tf.Tensor))),
        true,
        trainableVariables(generator),
      )!;
      losses.push(ofCritic.dataSync()[0]!, ofGenerator.dataSync()[0]!);
      tf.dispose([z, share, ofCritic, ofGenerator]);
    }
    [criticOptimizer, generatorOptimizer].forEach((optimizer) => optimizer.dispose());
    generator.dispose();
    critic.dispose();
    real.dispose();
    return Promise.resolve(losses);
  },
};

export const generative: readonly Program[] = [
  variationalAutoencoder,
  auxiliaryClassifierGan,
  wassersteinGan,
];
