import '@tensorflow/tfjs-backend-cpu';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportWeights, importWeights, modelFolder } from '@multigrad/checkpoint/model-files';
import { digitEncoder, multimodalNetwork } from '@multigrad/models';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const network = (seed: number) =>
  multimodalNetwork({
    encoders: {
      gray: digitEncoder({ name: 'gray', channels: 1, width: 2, features: 4, seed }),
      color: digitEncoder({ name: 'color', channels: 3, width: 2, features: 4, seed }),
    },
    classes: 3,
    seed,
  });

const inputs = (): { gray: tf.Tensor4D; color: tf.Tensor4D } => ({
  gray: tf.randomUniform([2, 28, 28, 1], 0, 1, 'float32', 1),
  color: tf.randomUniform([2, 28, 28, 3], 0, 1, 'float32', 2),
});

describe('the multimodal network', () => {
  it.each(['tensorflow', 'torch'] as const)(
    'goes through a %s file into another network of the same make',
    async (convention) => {
      await expectConstantMemory(async () => {
        const [one, two] = [network(1), network(2)];
        importWeights(await exportWeights(one.namedVariables, { convention }), two.namedVariables, {
          convention,
        });
        tf.tidy(() => {
          const batch = inputs();
          const [a, b] = [one, two].map((net) => net.forward(batch, { training: false }));
          for (const [name, logits] of Object.entries(a!)) {
            expect(b![name as 'gray'].dataSync()).toEqual(logits.dataSync());
          }
        });
        one.dispose();
        two.dispose();
      });
    },
  );

  it('is kept as a model folder with its own layers', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'multigrad-model-'));
    try {
      await expectConstantMemory(async () => {
        const one = network(1);
        await one.model.save(modelFolder(folder));
        const loaded = await loadLayersModel(modelFolder(folder));
        tf.tidy(() => {
          const batch = inputs();
          const logits = one.forward(batch, { training: false });
          const again = loaded.predict([batch.gray, batch.color]) as tf.Tensor[];
          one.objectiveNames.forEach((name, k) => {
            expect(again[k]!.dataSync()).toEqual(logits[name].dataSync());
          });
        });
        loaded.dispose();
        one.dispose();
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
