import { MultiObjectiveTrainer } from '@multigrad/core';
import {
  digitEncoder,
  encoderDecoder,
  lenet,
  multilayerPerceptron,
  multimodalNetwork,
  type MultimodalNetworkOptions,
  multiTaskNetwork,
  type MultiTaskNetworkOptions,
  resnet18,
  temporalTransformer,
  tokenLstm,
  tokenTransformer,
  waveformEncoder,
} from '@multigrad/models';
import { sum } from '@multigrad/strategy-sum';
import { normalTensor } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { labels, type Method, samples, type Weights, weightsOf } from './method.ts';

const [steps, classes, seed] = [3, 3, 4];

type Modality = 'left' | 'right';
type Encoder = (name: string) => LayersModel;

const perceptron: Encoder = (name) =>
  multilayerPerceptron({ name, shape: [4], hidden: [5], features: 4, seed });
const map: Encoder = (name) =>
  digitEncoder({ name, channels: 1, width: 2, features: 4, inputHeight: 6, inputWidth: 6, seed });
const tokens: Encoder = (name) =>
  temporalTransformer({ name, length: 3, inputs: 2, width: 4, heads: 2, pool: false, seed });

/** Token numbers from 0, which is padding, to 4. */
function tokenNumbers(shape: readonly number[], from: number): tf.Tensor {
  return tf.tidy(() =>
    tf.cast(tf.clipByValue(tf.round(tf.mul(samples(shape, from), 2)), 0, 4), 'int32'),
  );
}

interface Setting {
  /** Whether the encoders read token numbers from 0 to 4. */
  readonly tokens?: boolean;
  readonly encoder?: Encoder;
  readonly shape?: readonly number[];
  readonly fusion?: MultimodalNetworkOptions<Modality, 'multimodal'>['fusion'];
  readonly exchange?: MultimodalNetworkOptions<Modality, 'multimodal'>['exchange'];
}

/** Trains a network of two modalities by all its objectives and returns its weights; by no step, those it starts from. */
async function multimodal(
  { encoder = perceptron, shape = [4], tokens: reads = false, fusion, exchange }: Setting,
  epochs = steps,
): Promise<Weights> {
  const network = multimodalNetwork<Modality>({
    encoders: { left: encoder('left'), right: encoder('right') },
    classes,
    seed,
    ...(fusion !== undefined && { fusion }),
    ...(exchange !== undefined && { exchange }),
  });
  const data = {
    left: reads ? tokenNumbers(shape, 1) : samples(shape, 1),
    right: reads ? tokenNumbers(shape, 2) : tf.tidy(() => tf.mul(samples(shape, 2), 0.3)),
    label: labels(),
  };
  const sgd = tf.train.sgd(0.05);
  const trainer = new MultiObjectiveTrainer({
    objectives: ({ label, ...inputs }: typeof data, mode) =>
      network.objectives(inputs, label, mode),
    variables: network.trainableVariables,
    parts: network.parts,
    strategy: sum(),
    optimizer: sgd,
  });
  if (epochs > 0) await trainer.fit([data], { epochs });
  const weights = weightsOf(network.namedVariables);
  sgd.dispose();
  network.dispose();
  tf.dispose(data);
  return weights;
}

type Sharing = MultiTaskNetworkOptions<'kind' | 'place'>['sharing'];

/** Trains a network of two tasks. */
async function multiTask(sharing: Sharing, epochs = steps): Promise<Weights> {
  const network = multiTaskNetwork({
    trunk: perceptron,
    tasks: {
      kind: { kind: 'classification', classes },
      place: { kind: 'regression', size: 2, hidden: 4 },
    },
    seed,
    ...(sharing !== undefined && { sharing }),
  });
  const data = { x: samples([4], 1), kind: labels(), place: normalTensor([6, 2], 5) };
  const sgd = tf.train.sgd(0.05);
  const trainer = new MultiObjectiveTrainer({
    objectives: ({ x, kind, place }: typeof data, mode) =>
      network.objectives(x, { kind: kind as tf.Tensor1D, place: place as tf.Tensor2D }, mode),
    variables: network.trainableVariables,
    strategy: sum(),
    optimizer: sgd,
  });
  if (epochs > 0) await trainer.fit([data], { epochs });
  const weights = weightsOf(network.namedVariables);
  sgd.dispose();
  network.dispose();
  tf.dispose(data);
  return weights;
}

const ofNetwork = (
  kind: Method['kind'],
  settings: Readonly<Record<string, Setting>>,
): readonly Method[] =>
  Object.entries(settings).map(([name, setting]) => ({
    kind,
    name,
    train: () => multimodal(setting),
    without: () => multimodal(setting, 0),
  }));

const encoders = ofNetwork('encoder', {
  multilayerPerceptron: {},
  digitEncoder: { encoder: map, shape: [6, 6, 1] },
  encoderDecoder: {
    encoder: (name) =>
      encoderDecoder({ name, channels: 1, width: 2, inputHeight: 8, inputWidth: 8, seed }),
    shape: [8, 8, 1],
  },
  lenet: {
    encoder: (name) =>
      lenet({
        name,
        channels: 1,
        width: 2,
        secondWidth: 3,
        features: 4,
        inputHeight: 20,
        inputWidth: 16,
        seed,
      }),
    shape: [20, 16, 1],
  },
  resnet18: {
    encoder: (name) =>
      resnet18({
        name,
        channels: 2,
        inputHeight: 16,
        inputWidth: 16,
        width: 2,
        stem: 'small',
        seed,
      }),
    shape: [16, 16, 2],
  },
  temporalTransformer: {
    encoder: (name) =>
      temporalTransformer({ name, length: 3, inputs: 2, width: 4, heads: 2, seed }),
    shape: [3, 2],
  },
  tokenLstm: {
    encoder: (name) => tokenLstm({ name, vocabulary: 5, length: 4, width: 3, units: 4, seed }),
    shape: [4],
    tokens: true,
  },
  tokenTransformer: {
    encoder: (name) =>
      tokenTransformer({ name, vocabulary: 5, length: 4, width: 4, heads: 2, blocks: 1, seed }),
    shape: [4],
    tokens: true,
  },
  waveformEncoder: {
    encoder: (name) => waveformEncoder({ name, length: 1024, width: 2, seed }),
    shape: [1024, 1],
  },
});

const fusions = ofNetwork('fusion', {
  concatenation: { fusion: 'concatenation' },
  summation: { fusion: 'summation' },
  gated: { fusion: 'gated' },
  film: { fusion: { kind: 'film', condition: 'left' } },
  'cross-attention': { encoder: tokens, shape: [3, 2], fusion: 'cross-attention' },
});

const exchanges = ofNetwork('exchange', {
  mmtm: {
    encoder: map,
    shape: [6, 6, 1],
    exchange: { kind: 'mmtm', after: { left: ['conv4'], right: ['conv4'] } },
  },
  'cross-attention': {
    encoder: map,
    shape: [6, 6, 1],
    exchange: { kind: 'cross-attention', after: { left: ['conv4'], right: ['conv4'] } },
  },
});

const sharings: readonly Method[] = Object.entries<NonNullable<Sharing>>({
  hard: 'hard',
  'cross-stitch': { kind: 'cross-stitch', after: ['dense1'] },
  mmoe: { kind: 'mmoe', experts: 3 },
  'dselect-k': { kind: 'dselect-k', experts: 3 },
  ple: 'ple',
  mtan: { kind: 'mtan', after: ['dense1'] },
  ltb: { kind: 'ltb', after: ['dense1'] },
}).map(([name, sharing]) => ({
  kind: 'sharing',
  name,
  train: () => multiTask(sharing),
  without: () => multiTask(sharing, 0),
}));

export const networkMethods: readonly Method[] = [
  ...encoders,
  ...fusions,
  ...exchanges,
  ...sharings,
];
