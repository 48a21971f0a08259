import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { integrateGradients, MultiObjectiveTrainer, perSample } from '@multigrad/core';
import { MultigradError } from '@multigrad/core/strategy';
import { dropout, lenet, multilayerPerceptron, tokenTransformer } from '@multigrad/models';
import { mgda } from '@multigrad/strategy-mgda';
import { sum } from '@multigrad/strategy-sum';
import { upgrad } from '@multigrad/strategy-upgrad';
import { expectConstantMemory, testedBackends, variableOf } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtinPlugins } from '../packages/cli/src/strategies/builtin.ts';

// Each sample of a batch as an objective, in networks of layers, with every strategy, and in the trainer.

const batch = 9;

/** Strategies that integrate single samples; any other does too, or says why not. */
const able =
  'sum upgrad mgda pcgrad cagrad dualproj aligned-mtl imtl-g conflict-free edm nash-mtl fairgrad mmpareto krum epo'.split(
    ' ',
  );

/** Some of those that cannot, and the words in the refusal. */
const refused: Readonly<Record<string, RegExp>> = {
  graddrop: /number by number/,
  moco: /keeps a vector/,
  modo: /takes 3 forward functions/,
  gradvac: /remember nothing/,
  dwa: /follows the losses/,
};

function labelsOf(count: number): tf.Tensor {
  return tf.tidy(() =>
    tf.cast(
      tf.oneHot(
        Array.from({ length: count }, (_, i) => i % 4),
        4,
      ),
      'float32',
    ),
  );
}

function crossEntropy(labels: tf.Tensor, logits: tf.Tensor): tf.Tensor {
  return tf.losses.softmaxCrossEntropy(labels, logits, undefined, 0, tf.Reduction.NONE);
}

function chain(shape: number[], all: readonly tfl.layers.Layer[]): tfl.LayersModel {
  const inputs = tfl.input({ shape });
  const outputs = all.reduce(
    (x: tfl.SymbolicTensor, layer) => layer.apply(x) as tfl.SymbolicTensor,
    inputs,
  );
  return tfl.model({ inputs, outputs });
}

const { layers } = tfl;
const kernelInitializer = 'glorotNormal';
const head = () => layers.dense({ units: 4, kernelInitializer });

/** Networks of layers: the shape of a sample, and whether no backward step of single samples is needed. */
const networks: Readonly<Record<string, readonly [number[], () => tfl.LayersModel]>> = {
  perceptron: [
    [20],
    () =>
      chain(
        [20],
        [
          multilayerPerceptron({ name: 'mlp', shape: [20], hidden: [16], features: 12, seed: 1 }),
          head(),
        ],
      ),
  ],
  lenet: [
    [20, 20, 1],
    () =>
      chain(
        [20, 20, 1],
        [lenet({ name: 'trunk', channels: 1, inputHeight: 20, inputWidth: 20, seed: 1 }), head()],
      ),
  ],
  'dilated convolution': [
    [9, 9, 2],
    () =>
      chain(
        [9, 9, 2],
        [
          layers.conv2d({
            filters: 4,
            kernelSize: 3,
            dilationRate: 2,
            padding: 'same',
            activation: 'tanh',
          }),
          layers.conv2d({ filters: 3, kernelSize: 2, strides: 2, activation: 'relu' }),
          layers.averagePooling2d({ poolSize: 2 }),
          layers.flatten(),
          head(),
        ],
      ),
  ],
  'layer norm and dropout': [
    [5, 6],
    () =>
      chain(
        [5, 6],
        [
          layers.dense({ units: 8, activation: 'relu' }),
          layers.layerNormalization(),
          dropout({ name: 'drop', rate: 0.3, seed: 2 }),
          layers.flatten(),
          head(),
        ],
      ),
  ],
  'batch norm in inference': [
    [6],
    () =>
      chain([6], [layers.dense({ units: 8 }), layers.batchNormalization(), layers.reLU(), head()]),
  ],
  'token transformer': [
    [4],
    () =>
      chain(
        [4],
        [
          tokenTransformer({
            name: 'text',
            vocabulary: 7,
            length: 4,
            width: 8,
            heads: 2,
            blocks: 1,
          }),
          head(),
        ],
      ),
  ],
  recurrence: [[4, 5], () => chain([4, 5], [layers.simpleRNN({ units: 6 }), head()])],
  embedding: [
    [3],
    () => chain([3], [layers.embedding({ inputDim: 7, outputDim: 5 }), layers.flatten(), head()]),
  ],
};

function inputsOf(name: string, shape: readonly number[], count: number): tf.Tensor {
  return name === 'embedding' || name === 'token transformer'
    ? tf.tidy(() => tf.cast(tf.randomUniform([count, ...shape], 0, 7, 'int32', 3), 'float32'))
    : tf.randomNormal([count, ...shape], 0, 1, 'float32', 3);
}

async function refusal(promise: Promise<unknown>): Promise<MultigradError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!MultigradError.isInstance(error))
    throw new Error(`expected a refusal, got ${String(error)}`);
  return error;
}

describe.each(testedBackends())('per-sample objectives on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each(Object.entries(networks))(
    'have the Gramian and the update of a backward pass for each sample: %s',
    async (name, [shape, make]) => {
      const model = make();
      const x = inputsOf(name, shape, batch);
      const labels = labelsOf(batch);
      const training = name === 'batch norm in inference' ? false : true;
      const losses = () => crossEntropy(labels, model.apply(x, { training, step: 3 }) as tf.Tensor);
      await expectConstantMemory(async () => {
        const options = { groupBy: 'shared' } as const;
        const explicit = await integrateGradients(
          upgrad(),
          () => Object.fromEntries(tf.unstack(losses()).map((loss, i) => [`sample ${i}`, loss])),
          model,
          options,
        );
        const found = await integrateGradients(
          upgrad(),
          () => ({ error: perSample(losses()) }),
          model,
          options,
        );
        const { norms, cosines } = explicit.groups[0]!;
        const { gramian, ways } = found.groups[0]!.samples!;
        const slow = Object.entries(ways).filter(([, way]) => way === 'sample by sample');
        expect(slow).toEqual([]);
        for (let i = 0; i < batch; i += 1) {
          for (let j = 0; j < batch; j += 1) {
            const cosine = gramian.values[i * batch + j]! / (norms![i]! * norms![j]!);
            expect(Math.abs(cosine - cosines![i]![j]!)).toBeLessThan(1e-5);
          }
        }
        tf.tidy(() => {
          const length = (of: tf.Tensor): number => tf.norm(of).arraySync() as number;
          const whole = Math.hypot(...Object.values(explicit.gradients).map(length));
          for (const [variable, gradient] of Object.entries(explicit.gradients)) {
            const apart = length(tf.sub(gradient, found.gradients[variable]!));
            expect(apart, variable).toBeLessThan(1e-5 * whole);
          }
        });
        tf.dispose([explicit.gradients, found.gradients]);
      });
      tf.dispose([x, labels]);
      model.dispose();
    },
  );

  it('refuse batch norm in training, by name', async () => {
    const model = chain([6], [layers.dense({ units: 8 }), layers.batchNormalization(), head()]);
    const x = inputsOf('', [6], batch);
    const labels = labelsOf(batch);
    await expectConstantMemory(async () => {
      const error = await refusal(
        integrateGradients(
          upgrad(),
          () => ({
            error: perSample(crossEntropy(labels, model.apply(x, { training: true }) as tf.Tensor)),
          }),
          model,
        ),
      );
      expect(error.code).toBe('unsupported');
      expect(error.message).toContain('Batch norm in training');
    });
    tf.dispose([x, labels]);
    model.dispose();
  });

  it.each(builtinPlugins.map((plugin) => [plugin.name, plugin] as const))(
    'go with %s, or it is refused with the reason',
    async (name, plugin) => {
      await expectConstantMemory(async () => {
        const kernel = variableOf(() => tf.randomNormal([6, 4], 0, 1, 'float32', 5), 'kernel');
        const bias = variableOf(() => tf.zeros([4]), 'bias');
        const labels = labelsOf(batch);
        const x = tf.randomNormal([batch, 6], 0, 1, 'float32', 6);
        const step = async (state: Parameters<typeof integrateGradients>[3]) =>
          integrateGradients(
            plugin.create(),
            () => ({
              error: perSample(
                crossEntropy(labels, tf.add(tf.matMul(x as tf.Tensor2D, kernel), bias)),
              ),
            }),
            [kernel, bias],
            state,
          );
        try {
          const first = await step({}).catch((error: unknown) => error);
          if (first instanceof Error) {
            expect(able).not.toContain(name);
            expect(MultigradError.isInstance(first)).toBe(true);
            expect(first.message).toMatch(
              refused[name] ?? /With per-sample objectives a strategy should|forward functions/,
            );
            return;
          }
          expect(Object.keys(refused)).not.toContain(name);
          const { gradients, state } = first as Awaited<ReturnType<typeof step>>;
          tf.dispose(gradients);
          const second = await step({ state });
          const length = tf.tidy(() => tf.norm(second.gradients['kernel']!).arraySync() as number);
          expect(length).toBeGreaterThan(0);
          expect(second.groups[0]!.weights).toHaveLength(batch);
          tf.dispose(second.gradients);
        } finally {
          tf.dispose([kernel, bias, labels, x]);
        }
      });
    },
  );

  it('train in the trainer, with batches of unlike sizes, validation and resumption', async () => {
    const run = async (strategy: typeof mgda | typeof upgrad | typeof sum, resumed: boolean) =>
      expectConstantMemory(async () => {
        const kernel = variableOf(() => tf.zeros([3, 2]), 'kernel');
        const optimizer = tf.train.sgd(strategy === sum ? 0.05 : 0.2);
        const make = () =>
          new MultiObjectiveTrainer({
            objectives: ({ x, y }: { x: tf.Tensor2D; y: tf.Tensor2D }) => {
              const logits = tf.matMul(x, kernel);
              const hits = tf.equal(tf.argMax(logits, 1), tf.argMax(y, 1));
              return {
                error: perSample(crossEntropy(y, logits), {
                  accuracy: tf.mean(tf.cast(hits, 'float32')),
                }),
              };
            },
            variables: [kernel],
            strategy: strategy(),
            optimizer,
          });
        const x = tf.randomNormal([22, 3], 0, 1, 'float32', 7) as tf.Tensor2D;
        const y = tf.tidy(
          () =>
            tf.cast(
              tf.oneHot(
                tf.cast(tf.reshape(tf.greater(tf.slice(x, [0, 0], [22, 1]), 0), [22]), 'int32'),
                2,
              ),
              'float32',
            ) as tf.Tensor2D,
        );
        const data = { x, y };
        const options = { batchSize: 8, shuffle: 1, validationData: data } as const;
        let trainer = make();
        await trainer.fit(data, { ...options, epochs: 1 });
        if (resumed) {
          const { state, tensors } = trainer.snapshot();
          const copies = new Map(Array.from(tensors, ([name, one]) => [name, tf.clone(one)]));
          trainer = make();
          trainer.restore({ state, tensors: copies });
          for (const copy of copies.values()) copy.dispose();
        }
        const { history } = await trainer.fit(data, { ...options, epochs: 6, initialEpoch: 1 });
        expect(history['val_error_accuracy']!.at(-1)).toBeGreaterThan(0.85);
        expect(history['error_loss']!.at(-1)).toBeLessThan(history['error_loss']![0]!);
        const weights = [...kernel.dataSync()];
        optimizer.dispose();
        tf.dispose([kernel, x, y]);
        return weights;
      });
    const plain = await run(sum, false);
    for (const strategy of [upgrad, mgda]) {
      const weights = await run(strategy, false);
      expect(weights).not.toEqual(plain);
      expect(await run(strategy, true)).toEqual(weights);
    }
  });
});
