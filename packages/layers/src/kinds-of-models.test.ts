import { useBackend } from '@multigrad/backends';
import { modelVariables } from '@multigrad/core';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import { testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { applyModel } from './apply-model.ts';
import { multiObjective } from './multi-objective.ts';

// Models as users of tf.layers build them.

const { layers } = tfl;
type Symbolic = tfl.SymbolicTensor;

const count = 24;
const numbers = (width: number): number[][] =>
  Array.from({ length: count }, (_, n) =>
    Array.from({ length: width }, (_unused, k) => Math.sin(1 + 3 * n + 7 * k)),
  );
const words = Array.from({ length: count }, (_, n) =>
  Array.from({ length: 5 }, (_unused, k) => (k < 2 + (n % 3) ? 1 + ((n * 5 + k * 3) % 8) : 0)),
);
const kinds = words.map(([first]) => first! % 2);
const lengths = words.map((row) => row.filter((word) => word > 0).length / 5);

/** Saves a model to memory and loads it again, as `model.save` and `tf.loadLayersModel` do on disk. */
async function reloaded(model: tfl.LayersModel): Promise<tfl.LayersModel> {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return Promise.resolve({
        modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const },
      });
    }),
  );
  return tfl.loadLayersModel(tf.io.fromMemory(saved!));
}

function pretrained(): tfl.Sequential {
  return tfl.sequential({
    layers: [
      layers.dense({ units: 6, inputShape: [4], activation: 'relu' }),
      layers.batchNormalization(),
      layers.dropout({ rate: 0.2, seed: 1 }),
    ],
  });
}

const models: Record<string, () => tfl.LayersModel | Promise<tfl.LayersModel>> = {
  'an LSTM over an embedding with a mask': () => {
    const x = tfl.input({ shape: [5] });
    const vectors = layers.embedding({ inputDim: 9, outputDim: 4, maskZero: true }).apply(x);
    const last = layers.lstm({ units: 5 }).apply(vectors);
    const kind = layers.dense({ units: 1, activation: 'sigmoid', name: 'kind' }).apply(last);
    const length = layers.dense({ units: 1, name: 'length' }).apply(last);
    return tfl.model({ inputs: x, outputs: [kind, length] as Symbolic[] });
  },
  'a bidirectional GRU with layer normalisation and dropout': () => {
    const x = tfl.input({ shape: [5] });
    const vectors = layers.embedding({ inputDim: 9, outputDim: 3 }).apply(x);
    const layer = layers.gru({ units: 3, recurrentInitializer: 'glorotNormal' }) as never;
    const both = layers.bidirectional({ layer, mergeMode: 'concat' }).apply(vectors);
    const normal = layers
      .layerNormalization()
      .apply(layers.dropout({ rate: 0.1, seed: 2 }).apply(both));
    const kind = layers.dense({ units: 1, activation: 'sigmoid', name: 'kind' }).apply(normal);
    const length = layers.dense({ units: 1, name: 'length' }).apply(normal);
    return tfl.model({ inputs: x, outputs: [kind, length] as Symbolic[] });
  },
};

const pictures: Record<string, () => tfl.LayersModel | Promise<tfl.LayersModel>> = {
  'a nested model': () => {
    const x = tfl.input({ shape: [4] });
    const features = pretrained().apply(x);
    const kind = layers.dense({ units: 1, activation: 'sigmoid', name: 'kind' }).apply(features);
    const length = layers.dense({ units: 1, name: 'length' }).apply(features);
    return tfl.model({ inputs: x, outputs: [kind, length] as Symbolic[] });
  },
  'a saved model, loaded again': async () => reloaded(await pictures['a nested model']!()),
  'a shared layer and a convolution': () => {
    const x = tfl.input({ shape: [4] });
    const shared = layers.dense({ units: 4, activation: 'tanh' });
    const twice = shared.apply(shared.apply(x));
    const image = layers.reshape({ targetShape: [2, 2, 1] }).apply(twice);
    const convolved = layers.conv2d({ filters: 3, kernelSize: 2, padding: 'same' }).apply(image);
    const flat = layers.flatten().apply(convolved);
    const kind = layers.dense({ units: 1, activation: 'sigmoid', name: 'kind' }).apply(flat);
    const length = layers
      .dense({ units: 1, name: 'length' })
      .apply(layers.add().apply([twice, x] as Symbolic[]));
    return tfl.model({ inputs: x, outputs: [kind, length] as Symbolic[] });
  },
};

/** Gives matrices and kernels the same numbers in every run: whether a few steps lower the loss depends on the start. */
function setKernels(model: tfl.LayersModel): void {
  for (const variable of modelVariables(model).variables.values()) {
    if (variable.rank < 2) continue;
    const scale = Math.sqrt(variable.shape.at(-1)! / variable.size);
    const values = Float32Array.from(
      { length: variable.size },
      (_, i) => scale * Math.sin(3 + 5 * i),
    );
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
}

const strategies = {
  sum: () => sum(),
  mmpareto: () => mmpareto(),
  pcgrad: () => pcgrad({ seed: 1 }),
};

describe.each(testedBackends())('models of tf.layers on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  const cases = Object.entries(models)
    .map(([title, make]) => ({ title, make, x: words }))
    .concat(Object.entries(pictures).map(([title, make]) => ({ title, make, x: numbers(4) })));

  it.each(cases)(
    '$title trains by every kind of strategy, all weights of it',
    async ({ make, x }) => {
      for (const strategy of Object.values(strategies)) {
        const model = await make();
        setKernels(model);
        const multi = multiObjective(model, {
          loss: { kind: 'binaryCrossentropy', length: 'meanSquaredError' },
          metrics: { kind: 'accuracy' },
          optimizer: 'adam',
          learningRate: 0.02,
          strategy: strategy(),
        });
        const y = { kind: kinds, length: lengths };
        const { variables, statistics } = modelVariables(model);
        const valuesOf = (): string[] =>
          [...variables.values(), ...statistics.values()].map((variable) =>
            variable.dataSync().join(),
          );
        const [before, at] = [await multi.evaluate(x, y), valuesOf()];
        const { numTensors } = tf.memory();
        await multi.fit(x, y, { epochs: 1, batchSize: 8 });
        const trained = tf.memory().numTensors;
        await multi.fit(x, y, { epochs: 3, batchSize: 8 });
        // The first step makes slots of the optimizer; no later one keeps a tensor.
        expect(tf.memory().numTensors).toBe(trained);
        expect(trained).toBeGreaterThan(numTensors);
        const after = await multi.evaluate(x, y);
        expect(after['loss']!).toBeLessThan(before['loss']!);
        valuesOf().forEach((value, place) => expect(value).not.toBe(at[place]));
        multi.dispose();
        model.dispose();
      }
    },
  );

  it('a multimodal model: an objective for both modalities and one for each', async () => {
    const [image, sound] = [
      tfl.input({ shape: [4], name: 'image' }),
      tfl.input({ shape: [3], name: 'sound' }),
    ];
    const [seen, heard] = [image, sound].map((x) =>
      layers.dense({ units: 5, activation: 'relu' }).apply(x),
    ) as [Symbolic, Symbolic];
    const outputOf = (name: string, features: Symbolic): Symbolic =>
      layers.dense({ units: 2, activation: 'softmax', name }).apply(features) as Symbolic;
    const both = layers.concatenate().apply([seen, heard]) as Symbolic;
    const model = tfl.model({
      inputs: [image, sound],
      outputs: [
        outputOf('joint', both),
        outputOf('image_only', seen),
        outputOf('sound_only', heard),
      ],
    });
    const multi = multiObjective(model, {
      loss: 'sparseCategoricalCrossentropy',
      metrics: 'accuracy',
      optimizer: 'adam',
      strategy: mmpareto(),
    });
    const x = { image: numbers(4), sound: numbers(3) };
    const y = { joint: kinds, image_only: kinds, sound_only: kinds };
    const { history } = await multi.fit(x, y, { epochs: 2, batchSize: 8 });
    expect(Object.keys(history)).toContain('sound_only_acc');
    expect(multi.trainer.state!.groups.map(({ key }) => key)).toEqual([
      'joint+image_only',
      'joint+sound_only',
      'joint',
      'image_only',
      'sound_only',
    ]);
    expect(Object.keys(multi.predict(x))).toEqual(['joint', 'image_only', 'sound_only']);
    multi.dispose();
    model.dispose();
  });

  it('batch norm of a frozen part works by its statistics, as in Keras; that of stock fit by the batch', async () => {
    const make = (): { model: tfl.LayersModel; base: tfl.Sequential } => {
      const base = tfl.sequential({
        layers: [
          layers.dense({ units: 3, inputShape: [4], kernelInitializer: 'ones' }),
          layers.batchNormalization(),
        ],
      });
      const x = tfl.input({ shape: [4] });
      const y = layers
        .dense({ units: 1, name: 'out', kernelInitializer: 'ones' })
        .apply(base.apply(x));
      return { base, model: tfl.model({ inputs: x, outputs: y as Symbolic }) };
    };
    const x = tf.tensor2d(numbers(4));
    const y = tf.tensor2d(lengths, [count, 1]);
    const statisticsOf = (model: tfl.LayersModel): number[] =>
      [...modelVariables(model).statistics.values()].flatMap((one) => [...one.dataSync()]);
    const [stock, own] = [make(), make()];
    stock.base.trainable = false;
    own.base.trainable = false;
    const before = statisticsOf(own.model);
    stock.model.compile({ loss: 'meanSquaredError', optimizer: 'sgd' });
    await stock.model.fit(x, y, { epochs: 1, verbose: 0 as never, shuffle: false });
    expect(statisticsOf(stock.model)).not.toEqual(before);
    const multi = multiObjective(own.model, {
      loss: 'meanSquaredError',
      optimizer: 'sgd',
      strategy: sum(),
    });
    await multi.fit(x, y, { shuffle: false });
    expect(statisticsOf(own.model)).toEqual(before);
    const inTraining = applyModel(own.model, [x], { training: true })[0]!.dataSync();
    expect(inTraining).toEqual((own.model.predict(x) as tf.Tensor).dataSync());
    expect(statisticsOf(own.model)).toEqual(before);
    // After unfreezing it normalises by the batch, and moves.
    own.base.trainable = true;
    await multi.fit(x, y, { shuffle: false });
    expect(statisticsOf(own.model)).not.toEqual(before);
    // One batch norm alone, within a trained model.
    const [, normal] = own.base.layers;
    normal!.trainable = false;
    const frozen = statisticsOf(own.model);
    await multi.fit(x, y, { shuffle: false });
    expect(statisticsOf(own.model)).toEqual(frozen);
    expect(Object.hasOwn(normal!, 'call')).toBe(false);
    multi.dispose();
    for (const { model } of [stock, own]) model.dispose();
    tf.dispose([x, y]);
  });

  it('one Sequential with one output is an objective too', async () => {
    const model = tfl.sequential({
      layers: [layers.dense({ units: 1, inputShape: [4], name: 'score' })],
    });
    const multi = multiObjective(model, {
      loss: (labels, predictions) => tf.losses.huberLoss(labels, predictions),
      optimizer: tf.train.sgd(0.1),
      strategy: sum(),
    });
    const { history } = await multi.fit(numbers(4), lengths, { epochs: 5 });
    expect(history['score_loss']!.at(-1)!).toBeLessThan(history['score_loss']![0]!);
    await expect(multi.fit(numbers(4), lengths, { sampleWeight: lengths })).rejects.toThrow(
      'The loss of `score` should be one number for each sample',
    );
    multi.dispose();
    model.dispose();
  });
});
