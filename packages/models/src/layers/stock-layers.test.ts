import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  layers,
  type LayersModel,
  loadLayersModel,
  model,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { beforeAll, expect, it } from 'vitest';
import { batchNormalization } from './batch-normalization.ts';
import { ChannelGate } from './channel-gate.ts';
import { dropout } from './dropout.ts';
import { GlobalAverage } from './global-average.ts';
import { LayerNormalization } from './layer-normalization.ts';
import { NormalizedSum } from './normalized-sum.ts';
import { saveWithStockLayers } from './stock-layers.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A model with every layer that has an equal, one of them in a model within it and applied twice. */
function everyLayer(): LayersModel {
  const image = input({ shape: [4, 4, 2] });
  const norm = batchNormalization({ name: 'norm', epsilon: 0.01, momentum: 0.5 });
  const inner = model({
    inputs: image,
    outputs: norm.apply(image) as SymbolicTensor,
    name: 'inner',
  });
  const x = input({ shape: [4, 4, 2] });
  const alone = inner.apply(x) as SymbolicTensor;
  const both = { parts: ['one', 'other'], momentum: 0.5, epsilon: 0.01 };
  const maps = new NormalizedSum({ name: 'both', ...both }).apply([alone, x]) as SymbolicTensor;
  const rows = layers.reshape({ targetShape: [8, 4] }).apply(maps) as SymbolicTensor;
  const normal = new LayerNormalization({ name: 'rows' }).apply(rows) as SymbolicTensor;
  const dropped = dropout({ name: 'drop', rate: 0.25 }).apply(normal) as SymbolicTensor;
  const averages = [maps, dropped].map(
    (one, k) => new GlobalAverage({ name: `mean${k}` }).apply(one) as SymbolicTensor,
  );
  const again = new GlobalAverage({ name: 'same' }).apply(averages[0]!) as SymbolicTensor;
  return model({ inputs: x, outputs: [again, averages[1]!] });
}

/** What `saveWithStockLayers` writes, and the classes that it names. */
async function saved(
  given: LayersModel,
): Promise<{ artifacts: tf.io.ModelArtifacts; own: readonly string[] }> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  const own = await saveWithStockLayers(given, {
    save: (kept) => {
      artifacts = kept;
      return Promise.resolve({
        modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const },
      });
    },
  });
  return { artifacts: artifacts!, own };
}

it('writes layers of TensorFlow.js with the same numbers, and leaves the model as it is', async () => {
  await expectConstantMemory(async () => {
    const made = everyLayer();
    const before = JSON.stringify(made.toJSON(null, false));
    tf.tidy(() => {
      for (const [k, weight] of made.weights.entries()) {
        weight.write(tf.randomUniform(weight.shape as number[], 0.5, 2, 'float32', k + 1));
      }
    });
    const { artifacts, own } = await saved(made);
    expect(own).toEqual([]);
    expect(JSON.stringify(artifacts.modelTopology)).not.toContain('Multigrad');
    expect(JSON.stringify(made.toJSON(null, false))).toBe(before);
    const loaded = await loadLayersModel(tf.io.fromMemory(artifacts));
    tf.tidy(() => {
      const x = tf.randomNormal([3, 4, 4, 2], 0, 1, 'float32', 7);
      const [ours, stock] = [made, loaded].map((one) =>
        (one.predict(x) as tf.Tensor[]).map((y) => y.dataSync()),
      );
      for (const [k, numbers] of ours!.entries()) {
        for (const [i, number] of numbers.entries()) {
          expect(Math.abs(stock![k]![i]! - number)).toBeLessThan(1e-6 * (1 + Math.abs(number)));
        }
      }
      expect(loaded.getLayer('drop').getConfig()['rate']).toBe(0.25);
    });
    loaded.dispose();
    made.dispose();
  });
});

it('names the layers that have no equal, once, and writes their model as it is', async () => {
  const [a, b] = [input({ shape: [6] }), input({ shape: [6] })];
  const gates = [a, b].map(
    (one, k) => new ChannelGate({ name: `gate${k}` }).apply([one, one]) as SymbolicTensor,
  );
  const norm = batchNormalization({ name: 'norm' }).apply(gates[0]!) as SymbolicTensor;
  const made = model({ inputs: [a, b], outputs: [norm, gates[1]!] });
  const { artifacts, own } = await saved(made);
  expect(own).toEqual(['MultigradChannelGate']);
  expect(artifacts.modelTopology).toEqual(made.toJSON(null, false));
  made.dispose();
});

it('refuses a handler that cannot save', async () => {
  const made = everyLayer();
  await expect(saveWithStockLayers(made, {})).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining('Found none.') as string,
  });
  made.dispose();
});
