import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import {
  cosineDecay,
  fusedAdam,
  fusedMomentum,
  MultiObjectiveTrainer,
  type StepReport,
  type TrainerOptions,
  withFeatures,
} from '@multigrad/core';
import type { GradientStrategy } from '@multigrad/core/strategy';
import {
  dropout,
  lenet,
  multilayerPerceptron,
  multiTaskNetwork,
  tokenLstm,
  tokenTransformer,
} from '@multigrad/models';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { sum } from '@multigrad/strategy-sum';
import { expectConstantMemory, testedBackends, variableOf } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtinPlugins } from '../packages/cli/src/strategies/builtin.ts';

// Steps whose backward passes follow a plan give the same weights, losses and reports as plain steps, to the last bit: for every
// kind of network, every strategy, and with every option of the trainer.

interface Trained {
  readonly weights: readonly (readonly number[])[];
  readonly reports: readonly Omit<StepReport, 'groups'>[];
  readonly groups: readonly unknown[];
  readonly replayed: number;
  readonly plain: Readonly<Record<string, number>>;
}

type Batch = Record<string, tf.Tensor>;

/** Takes steps over batches in turn, and frees all but the variables. */
async function takeSteps(
  trainer: MultiObjectiveTrainer<Batch, string>,
  variables: readonly tf.Variable[],
  batches: readonly (readonly Batch[])[],
): Promise<Trained> {
  const reports: StepReport[] = [];
  for (const [first, ...further] of batches)
    reports.push(await trainer.trainOnBatch(first!, ...further));
  return {
    weights: variables.map((variable) => [...variable.dataSync()]),
    reports,
    groups: reports.map(({ groups }) => groups),
    replayed: trainer.compilation.replayed,
    plain: trainer.compilation.plain,
  };
}

/** Expects both to be the same but for the plans, and that there was something to compare. */
function expectSame(plain: Trained, compiled: Trained): void {
  const { replayed, plain: reasons } = compiled;
  expect(compiled).toEqual({ ...plain, replayed, plain: reasons });
  expect(plain.replayed).toBe(0);
  expect(plain.weights.flat().every(Number.isFinite)).toBe(true);
}

const images = (size: number, shape: readonly number[], seed: number): tf.Tensor =>
  tf.randomNormal([size, ...shape], 0, 1, 'float32', seed);
const tokens = (size: number, shape: readonly number[], seed: number): tf.Tensor =>
  tf.randomUniform([size, ...shape], 1, 20, 'int32', seed);

interface Case {
  readonly trunk: () => tfl.LayersModel;
  readonly shape: readonly number[];
  readonly input: typeof images;
}

const { layers } = tfl;
const seed = 1;

function chain(shape: number[], all: readonly tfl.layers.Layer[]): tfl.LayersModel {
  const inputs = tfl.input({ shape });
  const outputs = all.reduce(
    (x: tfl.SymbolicTensor, layer) => layer.apply(x) as tfl.SymbolicTensor,
    inputs,
  );
  return tfl.model({ name: 'trunk', inputs, outputs });
}

const kernelInitializer = (): never => tfl.initializers.glorotNormal({ seed }) as never;

const networks: Record<string, Case> = {
  'a multilayer perceptron': {
    trunk: () =>
      multilayerPerceptron({ name: 'trunk', shape: [9], hidden: [8], features: 6, seed }),
    shape: [9],
    input: images,
  },
  LeNet: {
    trunk: () => lenet({ name: 'trunk', channels: 1, seed }),
    shape: [36, 36, 1],
    input: images,
  },
  'convolutions with batch norm and dropout': {
    trunk: () =>
      chain(
        [8, 8, 2],
        [
          layers.conv2d({
            filters: 4,
            kernelSize: 3,
            padding: 'same',
            kernelInitializer: kernelInitializer(),
          }),
          layers.batchNormalization(),
          layers.reLU(),
          layers.averagePooling2d({}),
          layers.depthwiseConv2d({ kernelSize: 3, depthwiseInitializer: kernelInitializer() }),
          layers.flatten(),
          dropout({ name: 'trunk/dropout', rate: 0.3, seed: 5 }),
          layers.dense({ units: 5, activation: 'tanh', kernelInitializer: kernelInitializer() }),
        ],
      ),
    shape: [8, 8, 2],
    input: images,
  },
  'an LSTM': {
    trunk: () => tokenLstm({ name: 'trunk', vocabulary: 20, length: 5, width: 4, units: 6, seed }),
    shape: [5],
    input: tokens,
  },
  'an LSTM of tf.layers': {
    trunk: () =>
      chain(
        [5, 3],
        [
          layers.lstm({
            units: 4,
            kernelInitializer: kernelInitializer(),
            recurrentInitializer: kernelInitializer(),
          }),
        ],
      ),
    shape: [5, 3],
    input: images,
  },
  'a transformer': {
    trunk: () =>
      tokenTransformer({
        name: 'trunk',
        vocabulary: 20,
        length: 6,
        width: 8,
        blocks: 2,
        heads: 2,
        seed,
      }),
    shape: [6],
    input: tokens,
  },
};

/** Trains a network of two tasks; batches have two sizes. */
async function trainedNetwork(
  { trunk, shape, input }: Case,
  compile: boolean,
  more: Partial<TrainerOptions<Batch, string>> = {},
): Promise<Trained> {
  const network = multiTaskNetwork({
    trunk: trunk(),
    tasks: {
      kind: { kind: 'classification', classes: 3 },
      place: { kind: 'regression', size: 2 },
    },
    seed,
  });
  const batches = [6, 6, 4, 6, 6, 4, 6].map((size, index): Batch => {
    const labels = Array.from({ length: size }, (_, i) => (i + index) % 3);
    return {
      x: input(size, shape, 10 + index),
      kind: tf.tensor1d(labels, 'int32'),
      place: images(size, [2], 20 + index),
    };
  });
  const variables = network.trainableVariables;
  const optimizer = fusedMomentum(variables, { learningRate: 0.05, momentum: 0.9 });
  const trainer = new MultiObjectiveTrainer<Batch, string>({
    objectives: ({ x, kind, place }, mode) => {
      const targets = { kind: kind as tf.Tensor1D, place: place as tf.Tensor2D };
      if (more.level !== 'features') return network.losses(x!, targets, mode);
      const features = network.features(x!, mode);
      return withFeatures(network.lossesFromFeatures(features, targets, mode), features);
    },
    variables,
    statistics: network.namedVariables,
    parts: network.parts,
    strategy: mmpareto(),
    optimizer,
    compile,
    ...more,
  });
  try {
    const all = [...network.namedVariables.values()];
    return await takeSteps(
      trainer,
      all,
      batches.map((batch) => [batch]),
    );
  } finally {
    trainer.dispose();
    optimizer.dispose();
    network.dispose();
    tf.dispose(batches);
  }
}

/** Trains two layers of bare operations for K losses. */
async function trainedLosses(
  count: number,
  compile: boolean,
  strategy: GradientStrategy,
  more: Partial<TrainerOptions<Batch, string>> = {},
  steps = 6,
): Promise<Trained> {
  const variables = [
    variableOf(() => tf.mul(images(7, [12], 1), 0.3)),
    variableOf(() => tf.mul(images(12, [], 2), 0.3)),
    variableOf(() => tf.mul(images(12, [4], 3), 0.3)),
  ] as const;
  const [kernel, bias, head] = variables;
  const together = (strategy.needs.batches ?? 1) * (more.accumulate ?? 1);
  const batches = Array.from({ length: steps }, (_, step) =>
    Array.from({ length: together }, (_, part): Batch => {
      const from = 100 * step + 10 * part;
      return { x: images(8, [7], from + 11), y: images(8, [4], from + 12) };
    }),
  );
  const optimizer = fusedAdam(variables, { learningRate: 0.01 });
  /** Halves the gradient of the head, and the rate of the others at every other step. */
  const modulate: TrainerOptions<Batch, string>['modulate'] = ({ step }) => ({
    variables: new Map([
      [head, { change: (gradient: tf.Tensor) => tf.mul(gradient, 0.5) }],
      [bias, { rate: step % 2 === 0 ? 1 : 0.5, gradient: 0.7 }],
    ]),
  });
  const trainer = new MultiObjectiveTrainer<Batch, string>({
    objectives: ({ x, y }) => {
      const hidden = tf.tanh(tf.add(tf.matMul(x as tf.Tensor2D, kernel as tf.Tensor2D), bias));
      const output = tf.matMul(hidden, head as tf.Tensor2D);
      const error = tf.sub(output, y!);
      const all: Record<string, tf.Tensor> = {
        near: tf.mean(tf.square(error)),
        far: tf.mean(tf.abs(tf.add(error, 2))),
        small: tf.mean(tf.square(output)),
        sharp: tf.mean(tf.exp(tf.mul(error, 0.3))),
      };
      return Object.fromEntries(Object.entries(all).slice(0, count));
    },
    variables: new Map([
      ['kernel', kernel],
      ['bias', bias],
      ['head', head],
    ]),
    strategy,
    optimizer,
    compile,
    ...more,
    ...(more.modulate === undefined ? {} : { modulate }),
  });
  try {
    return await takeSteps(trainer, variables, batches);
  } finally {
    trainer.dispose();
    optimizer.dispose();
    tf.dispose([...variables, batches]);
  }
}

/** Every option that changes a step, and its value. */
const options: Record<string, Partial<TrainerOptions<Batch, string>>> = {
  accumulate: { accumulate: 2 },
  clip: { clip: { value: 0.01, groupNorm: 0.02, globalNorm: 0.03 } },
  clipObjectives: { clipObjectives: { globalNorm: 0.1 } },
  average: { average: { decay: 0.9 } },
  lossScale: { lossScale: 1024 },
  'lossScale, dynamic': { lossScale: {} },
  lossWeights: { lossWeights: { near: 0.5, far: 3 } },
  learningRate: { learningRate: cosineDecay({ rate: 0.1, steps: 6 }) },
  weightDecay: { weightDecay: 0.1, decoupledWeightDecay: 0.1 },
  observe: { strategy: sum(), observe: { every: 2 } },
  groupBy: { groupBy: 'tensor' },
  singles: { singles: 'weighted' },
  'onNonFinite: skip': { onNonFinite: 'skip' },
  modulate: { modulate: () => ({ variables: new Map() }) },
};

describe.each(testedBackends())('a step by a plan on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each(Object.entries(networks))('is a plain step, for %s', async (_, network) => {
    await expectConstantMemory(async () => {
      const compiled = await trainedNetwork(network, true);
      expectSame(await trainedNetwork(network, false), compiled);
      // Two recordings of each size of batch.
      expect(compiled.replayed).toBe(3);
    });
  });

  it('is a plain step at features', async () => {
    const network = networks['a multilayer perceptron']!;
    const compiled = await trainedNetwork(network, true, { level: 'features' });
    expectSame(await trainedNetwork(network, false, { level: 'features' }), compiled);
    // One plan to the features and one behind them.
    expect(compiled.replayed).toBe(6);
  });

  it.each([1, 2, 3, 4])('is a plain step, for %i objectives', async (count) => {
    await expectConstantMemory(async () => {
      for (const strategy of [mmpareto, sum]) {
        const compiled = await trainedLosses(count, true, strategy());
        expectSame(await trainedLosses(count, false, strategy()), compiled);
        expect(compiled.replayed).toBe(4);
      }
    });
  });

  it.each(Object.entries(options))('is a plain step, with %s', async (_, more) => {
    await expectConstantMemory(async () => {
      const compiled = await trainedLosses(3, true, more.strategy ?? mmpareto(), more);
      expectSame(await trainedLosses(3, false, more.strategy ?? mmpareto(), more), compiled);
      expect(compiled.replayed).toBeGreaterThanOrEqual(2);
    });
  });

  it('says why backward passes did not follow a plan', async () => {
    const reasons = async (
      compile: boolean,
      more: Partial<TrainerOptions<Batch, string>> = {},
    ): Promise<unknown> => (await trainedLosses(2, compile, mmpareto(), more)).plain;
    expect(await reasons(true)).toEqual({});
    expect(await reasons(false)).toEqual({ '`compile` is false': 6 });
    expect(await reasons(true, { accumulate: 2 })).toEqual({ 'parts of `accumulate`': 12 });
  });

  it.each(builtinPlugins.map((plugin) => [plugin.name, plugin] as const))(
    'is a plain step, with the strategy %s',
    async (_, plugin) => {
      const compiled = await trainedLosses(3, true, plugin.create(), {}, 5);
      expectSame(await trainedLosses(3, false, plugin.create(), {}, 5), compiled);
      // The first step of some strategies has other backward passes than later ones.
      expect(compiled.replayed).toBeGreaterThanOrEqual(2);
    },
  );
});
