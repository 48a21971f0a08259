import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { balanced } from '../driver/balanced.ts';
import { describeBalancing } from '../testing/conformance.ts';
import { inBatches, smallNetwork, smallSamples, trainSmall } from '../testing/training.ts';
import { plugin, umt, type UmtState } from './umt.ts';

const options = { weight: '1', teacherEpochs: '3', teacherRate: '0.02' };
describeBalancing({ plugin, options });

describe('umt', () => {
  it('trains teachers by the objectives of their own alone, and gives the network its weights back', async () => {
    await tf.setBackend('cpu');
    await expectConstantMemory(async () => {
      const method = umt({ weight: 0, teacherEpochs: 40, teacherRate: 0.02 });
      const { weights, state } = await trainSmall({ method, epochs: 1 });
      // With no weight of its own the method trains as without it.
      expect(weights).toEqual((await trainSmall({ method: null, epochs: 1 })).weights);
      const { teachers } = state as UmtState;
      const names = Object.keys(teachers!);
      expect(names.every((name) => /^(a|b|head\/a|head\/b)\//.test(name))).toBe(true);
      expect(names.some((name) => name.startsWith('head/b/'))).toBe(true);
      // They do better than the weights from which they start.
      const network = smallNetwork();
      const lossOf = async (): Promise<number[]> => {
        let total = [0, 0];
        for await (const batch of inBatches(smallSamples(1))) {
          const losses = network.losses(batch, batch['label'] as tf.Tensor1D, { training: false });
          total = total.map((sum, k) => sum + losses[k === 0 ? 'a' : 'b']!.dataSync()[0]!);
          tf.dispose([batch, losses]);
        }
        return total;
      };
      const before = await lossOf();
      for (const [name, { shape, data }] of Object.entries(teachers!)) {
        const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
        tf.tidy(() =>
          network.namedVariables
            .get(name)!
            .assign(tf.tensor(new Float32Array(bytes.buffer), [...shape])),
        );
      }
      const after = await lossOf();
      after.forEach((loss, k) => expect(loss).toBeLessThan(0.98 * before[k]!));
      network.dispose();
    });
  });

  it('frees everything where the training of teachers fails, and the network keeps its weights', async () => {
    await tf.setBackend('cpu');
    await expectConstantMemory(async () => {
      const network = smallNetwork();
      const kept = [...network.namedVariables].map(([, one]) => [...one.dataSync()]);
      const balance = balanced(umt({ teacherEpochs: 1 }), network, {
        data: {
          count: 2,
          batches: async function* () {
            yield* inBatches(smallSamples(1, 4));
            throw new Error('no more data');
          },
        },
      });
      await expect(balance.callback.onEpochBegin!(0)).rejects.toThrow('no more data');
      expect([...network.namedVariables].map(([, one]) => [...one.dataSync()])).toEqual(kept);
      balance.dispose();
      network.dispose();
    });
  });

  it('refuses encoders that exchange features', async () => {
    await tf.setBackend('cpu');
    await expectConstantMemory(() => {
      const encoder = (name: string) =>
        multilayerPerceptron({ name, shape: [3], hidden: [4], features: 4 });
      const network = multimodalNetwork({
        encoders: { a: encoder('a'), b: encoder('b') },
        exchange: { kind: 'mmtm', after: ['dense1'] },
        classes: 3,
      });
      expect(() => balanced(umt(), network, { data: { count: 1, batches: () => [] } })).toThrow(
        'needs encoders without an exchange between them',
      );
      network.dispose();
    });
  });
});
