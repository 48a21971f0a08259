import { useBackend } from '@multigrad/backends';
import { integrateGradients } from '@multigrad/core';
import {
  digitEncoder,
  lenet,
  multilayerPerceptron,
  multimodalNetwork,
  multiTaskNetwork,
  resnet18,
  type Sharing,
  temporalTransformer,
  waveformEncoder,
} from '@multigrad/models';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import {
  disposeOptimizer,
  expectConstantMemory,
  expectExactGradients,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

// Every encoder, fusion, exchange and sharing scheme trains on the wasm backend, with gradients that are exactly those of
// the objectives one at a time, and leaves nothing behind.

interface Trainable {
  readonly losses: () => Record<string, tf.Scalar>;
  readonly variables: tf.Variable[];
  readonly parts: Readonly<Record<string, tf.Variable[]>>;
  readonly dispose: () => void;
}

const count = 3;
const seed = 5;
const label = (): tf.Tensor1D => tf.tensor1d([0, 2, 1], 'int32');
const random = (...shape: number[]): tf.Tensor =>
  tf.randomNormal([count, ...shape], 0, 1, 'float32', 7);

function multimodal(
  options: Pick<Parameters<typeof multimodalNetwork>[0], 'encoders' | 'fusion' | 'exchange'>,
): Trainable {
  const network = multimodalNetwork({ ...options, classes: 3, seed });
  const inputs = Object.fromEntries(
    network.modalities.map((modality) => [
      modality,
      random(...(network.encoders[modality]!.inputs[0]!.shape.slice(1) as number[])),
    ]),
  );
  const labels = label();
  return {
    losses: () => network.losses(inputs, labels),
    variables: network.trainableVariables,
    parts: network.parts,
    dispose: () => {
      tf.dispose([inputs, labels]);
      network.dispose();
    },
  };
}

function multiTask(sharing: Sharing): Trainable {
  const network = multiTaskNetwork({
    trunk: (name) =>
      lenet({
        name,
        channels: 1,
        width: 2,
        secondWidth: 3,
        features: 4,
        inputHeight: 16,
        inputWidth: 16,
        seed,
      }),
    sharing,
    tasks: {
      left: { kind: 'classification', classes: 3, hidden: 4 },
      right: { kind: 'classification', classes: 3 },
      place: { kind: 'regression', size: 2, loss: 'smooth-l1' },
    },
    seed,
  });
  const image = random(16, 16, 1);
  const targets = { left: label(), right: label(), place: random(2) };
  return {
    losses: () => network.losses(image, targets) as Record<string, tf.Scalar>,
    variables: network.trainableVariables,
    parts: network.parts,
    dispose: () => {
      tf.dispose([image, targets]);
      network.dispose();
    },
  };
}

const image = (name: string) =>
  digitEncoder({ name, channels: 1, width: 2, features: 6, inputHeight: 8, inputWidth: 8, seed });
const sequence = (name: string, pool = true) =>
  temporalTransformer({ name, length: 5, inputs: 3, width: 4, heads: 2, blocks: 1, pool, seed });
const video = (name: string, pool = true) =>
  resnet18({
    name,
    channels: 3,
    frames: 2,
    inputHeight: 8,
    inputWidth: 8,
    width: 2,
    stem: 'small',
    pool,
    seed,
  });
const sound = (name: string) => waveformEncoder({ name, length: 1024, width: 2, seed });
const table = (name: string) =>
  multilayerPerceptron({ name, shape: [7], hidden: [5], features: 4, seed });

const networks: Record<string, () => Trainable> = {
  'concatenation, digit encoders': () => multimodal({ encoders: { a: image('a'), b: image('b') } }),
  'summation, image and sound': () =>
    multimodal({ encoders: { image: image('image'), sound: sound('sound') }, fusion: 'summation' }),
  'gated, three modalities': () =>
    multimodal({
      encoders: { image: image('image'), table: table('table'), sequence: sequence('sequence') },
      fusion: 'gated',
    }),
  'FiLM, table and image': () =>
    multimodal({
      encoders: { table: table('table'), image: image('image') },
      fusion: { kind: 'film', condition: 'table' },
    }),
  'cross-attention, video map and sequence': () =>
    multimodal({
      encoders: { video: video('video', false), sequence: sequence('sequence', false) },
      fusion: { kind: 'cross-attention', width: 4, heads: 2 },
    }),
  'MMTM between digit encoders': () =>
    multimodal({
      encoders: { a: image('a'), b: image('b') },
      exchange: { kind: 'mmtm', after: ['conv2', 'conv4'] },
    }),
  'MMTM between video and sequence': () =>
    multimodal({
      encoders: { video: video('video'), sequence: sequence('sequence') },
      exchange: { kind: 'mmtm', after: { video: ['stage2'], sequence: ['block1'] }, ratio: 2 },
      fusion: 'gated',
    }),
  'cross-attention between image and sequence': () =>
    multimodal({
      encoders: { image: image('image'), sequence: sequence('sequence') },
      exchange: { kind: 'cross-attention', after: { image: ['conv4'], sequence: ['block1'] } },
    }),
  'hard sharing': () => multiTask('hard'),
  'cross-stitch': () => multiTask({ kind: 'cross-stitch', after: ['pool1', 'dense'] }),
  MMoE: () => multiTask({ kind: 'mmoe', experts: 2 }),
  PLE: () => multiTask('ple'),
  'DSelect-k': () => multiTask({ kind: 'dselect-k', experts: 3, entropy: 0.1 }),
  MTAN: () => multiTask({ kind: 'mtan', after: ['pool1', 'pool2'] }),
};

beforeAll(async () => {
  await useBackend('wasm');
});

describe.each(Object.entries(networks))('%s', (_, make) => {
  it('has exactly the gradients of its objectives one at a time', async () => {
    await expectConstantMemory(async () => {
      const network = make();
      const { losses, variables, parts, dispose } = network;
      await expectConstantMemory(() => expectExactGradients(losses, variables, { parts }));
      dispose();
    });
  });

  it('takes training steps that lower the losses, and holds nothing after', async () => {
    await expectConstantMemory(async () => {
      const { losses, variables, parts, dispose } = make();
      const optimizer: tf.Optimizer = tf.train.momentum(0.01, 0.5);
      const strategy = mmpareto();
      const first = await integrateGradients(strategy, losses, variables, { parts });
      optimizer.applyGradients(first.gradients);
      tf.dispose(first.gradients);
      let { state } = first;
      await expectConstantMemory(async () => {
        for (let step = 0; step < 3; step++) {
          const next = await integrateGradients(strategy, losses, variables, { parts, state });
          optimizer.applyGradients(next.gradients);
          tf.dispose(next.gradients);
          state = next.state;
        }
      });
      const sum = (values: Readonly<Partial<Record<string, number>>>): number =>
        Object.values(values).reduce<number>((total, value) => total + value!, 0);
      const after = tf.tidy(() =>
        Object.fromEntries(Object.entries(losses()).map(([k, v]) => [k, v.dataSync()[0]!])),
      );
      expect(sum(after)).toBeLessThan(sum(first.losses));
      disposeOptimizer(optimizer);
      dispose();
    });
  });
});

it('ResNet-18 at 64 × 64, beside another encoder, trains with exact gradients', async () => {
  await expectConstantMemory(async () => {
    const network = multimodalNetwork({
      encoders: {
        image: resnet18({ name: 'image', channels: 3, inputHeight: 64, inputWidth: 64, seed }),
        audio: sequence('audio'),
      },
      classes: 6,
      seed,
    });
    const inputs = { image: random(64, 64, 3), audio: random(5, 3) };
    const labels = label();
    const losses = () => network.losses(inputs, labels);
    const { trainableVariables: variables, parts } = network;
    await expectConstantMemory(() => expectExactGradients(losses, variables, { parts }));
    const optimizer: tf.Optimizer = tf.train.sgd(0.001);
    await expectConstantMemory(async () => {
      const step = await integrateGradients(mmpareto(), losses, variables, { parts });
      optimizer.applyGradients(step.gradients);
      tf.dispose(step.gradients);
      const after = tf.tidy(() => losses().image!.dataSync()[0]!);
      expect(after).toBeLessThan(step.losses.image!);
    });
    optimizer.dispose();
    tf.dispose([inputs, labels]);
    network.dispose();
  });
});
