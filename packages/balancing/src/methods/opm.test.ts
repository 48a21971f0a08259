import { multimodalNetwork, temporalTransformer } from '@multigrad/models';
import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeBalancing } from '../testing/conformance.ts';
import { passOf } from '../testing/pass.ts';
import { opm, plugin } from './opm.ts';

describeBalancing({ plugin, options: { executed: '1' } });
describeBalancing({ plugin, options: { executed: '1' }, fusion: 'gated' });

describe.each(testedBackends())('opm on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  it('drops features that are no vectors, and reaches their encoders', async () => {
    await expectConstantMemory(() => {
      const encoder = (name: string) =>
        temporalTransformer({ name, length: 3, inputs: 2, width: 4, heads: 2, pool: false });
      const network = multimodalNetwork({
        encoders: { a: encoder('a'), b: encoder('b') },
        classes: 3,
      });
      const batch = {
        a: tf.tidy(() => tf.mul(tf.reshape(tf.range(0, 24), [4, 3, 2]), 0.1)),
        b: tf.ones([4, 3, 2]),
        label: tf.tensor1d([0, 1, 2, 0], 'int32'),
      };
      const gradients = (executed: number) => {
        const method = opm({ executed, qBase: 1 });
        const { grads, value } = tf.variableGrads(
          () => passOf(method, network, batch, null).objectives['multimodal']!.loss as tf.Scalar,
          [...network.parts.a, ...network.parts.b],
        );
        const found = Object.values(grads).map((one) => [...one.dataSync()]);
        tf.dispose([grads, value]);
        return found;
      };
      const [dropped, whole] = [gradients(1), gradients(0)];
      expect(whole.flat().some((value) => value !== 0)).toBe(true);
      expect(dropped.flat().some((value) => value !== 0)).toBe(true);
      // The encoder that leads is dropped for sure: nothing reaches it.
      const silent = [0, 1].filter((k) => {
        const count = dropped.length / 2;
        return dropped.slice(k * count, (k + 1) * count).every((one) => one.every((v) => v === 0));
      });
      expect(silent).toHaveLength(1);
      network.dispose();
      tf.dispose(batch);
    });
  });
});
