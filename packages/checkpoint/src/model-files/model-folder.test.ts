import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { layers, type LayersModel, loadLayersModel, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modelFolder } from './model-folder.ts';

let folder: string;
beforeEach(async () => {
  await tf.setBackend('cpu');
  folder = mkdtempSync(join(tmpdir(), 'multigrad-model-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function model(): LayersModel {
  return sequential({
    layers: [
      layers.conv2d({ filters: 2, kernelSize: 2, inputShape: [3, 3, 1] }),
      layers.batchNormalization(),
      layers.flatten(),
      layers.dense({ units: 2 }),
    ],
  });
}

describe('modelFolder', () => {
  it('keeps a model: the one that is loaded computes the same', async () => {
    await expectConstantMemory(async () => {
      const made = model();
      const { modelArtifactsInfo } = await made.save(modelFolder(join(folder, 'a', 'model')));
      expect(modelArtifactsInfo.weightDataBytes).toBe(4 * (8 + 2 + 4 * 2 + 16 + 2));
      expect(readdirSync(join(folder, 'a', 'model')).sort()).toEqual(['model.json', 'weights.bin']);
      const loaded = await loadLayersModel(modelFolder(join(folder, 'a', 'model')));
      tf.tidy(() => {
        const x = tf.randomNormal([4, 3, 3, 1], 0, 1, 'float32', 1);
        const [before, after] = [made, loaded].map((one) =>
          (one.predict(x) as tf.Tensor).dataSync(),
        );
        expect(after).toEqual(before);
      });
      made.dispose();
      loaded.dispose();
    });
  });

  it('reads weights in several shards, and says where they end too early', async () => {
    const made = model();
    const x = tf.ones([1, 3, 3, 1]);
    await made.save(modelFolder(folder));
    const json = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as {
      weightsManifest: { paths: string[] }[];
    };
    const bytes = readFileSync(join(folder, 'weights.bin'));
    json.weightsManifest[0]!.paths = ['group1-shard1of2.bin', 'group1-shard2of2.bin'];
    writeFileSync(join(folder, 'model.json'), JSON.stringify(json));
    writeFileSync(join(folder, 'group1-shard1of2.bin'), bytes.subarray(0, 50));
    writeFileSync(join(folder, 'group1-shard2of2.bin'), bytes.subarray(50));
    const loaded = await loadLayersModel(modelFolder(folder));
    const [before, after] = [made, loaded].map((one) =>
      tf.tidy(() => (one.predict(x) as tf.Tensor).dataSync()),
    );
    expect(after).toEqual(before);
    writeFileSync(join(folder, 'group1-shard2of2.bin'), bytes.subarray(54));
    await expect(loadLayersModel(modelFolder(folder))).rejects.toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining(
        `should be ${bytes.length} bytes. Found ${bytes.length - 4}.`,
      ) as string,
    });
    tf.dispose(x);
    made.dispose();
    loaded.dispose();
  });

  it('refuses what is no model, and names that lead out of the folder', async () => {
    await expect(loadLayersModel(modelFolder(join(folder, 'none')))).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining(join('none', 'model.json')) as string,
    });
    const group = (path: unknown): string =>
      JSON.stringify({ modelTopology: {}, weightsManifest: [{ paths: [path], weights: [] }] });
    for (const text of [
      '',
      '[]',
      'null',
      '{}',
      '{"modelTopology": {}}',
      '{"modelTopology": 1, "weightsManifest": []}',
      '{"modelTopology": {}, "weightsManifest": [null]}',
      '{"modelTopology": {}, "weightsManifest": [{"paths": "weights.bin", "weights": []}]}',
      '{"modelTopology": {}, "weightsManifest": [{"paths": []}]}',
      '{"modelTopology": {}, "weightsManifest": [{"paths": [], "weights": [null]}]}',
      '{"modelTopology": {}, "weightsManifest": [{"paths": [], "weights": [{"name": "a", "dtype": "float32"}]}]}',
      ...['../secret', '/etc/passwd', '..', '.', '', 'a/b', 'a\\b', 'a\0', 5].map(group),
    ]) {
      writeFileSync(join(folder, 'model.json'), text);
      await expect(loadLayersModel(modelFolder(folder)), text).rejects.toMatchObject({
        code: 'invalid-data',
      });
    }
    writeFileSync(join(folder, 'file'), '');
    const made = model();
    await expect(made.save(modelFolder(join(folder, 'file', 'model')))).rejects.toMatchObject({
      code: 'io',
    });
    made.dispose();
  });
});
