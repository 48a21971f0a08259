import { useBackend } from '@multigrad/backends';
import { expectSecondDerivative, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { batchNormalization } from './layers/batch-normalization.ts';
import { dropout } from './layers/dropout.ts';
import { LayerNormalization } from './layers/layer-normalization.ts';
import { registerLayers } from './layers/register-layers.ts';
import { meanSquaredError, smoothL1 } from './losses/regression.ts';
import { softmaxCrossEntropy } from './losses/softmax-cross-entropy.ts';

const labels = (): tf.Tensor1D => tf.tensor1d([0, 3, -1], 'int32');
const targets = (): tf.Tensor2D =>
  tf.tensor2d(
    Array.from({ length: 12 }, (_, i) => (i === 5 ? NaN : Math.sin(i))),
    [3, 4],
  );

describe.each(testedBackends())('second derivatives of layers and losses on %s', (backend) => {
  let layer: layers.Layer | null = null;

  beforeAll(async () => {
    await useBackend(backend);
    registerLayers();
  });

  afterEach(() => {
    layer?.dispose();
    layer = null;
  });

  it.each<[string, () => layers.Layer, object]>([
    ['gelu', () => layers.activation({ activation: 'gelu' }), {}],
    ['batch normalisation', () => batchNormalization({ name: 'batch' }), { training: true }],
    ['layer normalisation', () => new LayerNormalization({ name: 'rows' }), {}],
    ['dropout', () => dropout({ name: 'drop', rate: 0.4 }), { training: true, step: 3 }],
  ])('%s: as differences say', async (_, make, options) => {
    layer = make();
    tf.dispose(layer.apply(tf.zeros([3, 4]), options) as tf.Tensor);
    await expectSecondDerivative((x) => layer!.apply(x, options) as tf.Tensor);
  });

  it.each<[string, (x: tf.Tensor2D) => tf.Tensor]>([
    ['softmaxCrossEntropy', (x) => softmaxCrossEntropy(x, labels())],
    ['meanSquaredError', (x) => meanSquaredError(x, targets())],
    ['smoothL1', (x) => smoothL1(x, targets(), 0.5)],
  ])('%s: as differences say', async (_, loss) => {
    await expectSecondDerivative((x) => loss(x as tf.Tensor2D));
  });

  it('are refused where the forward pass ran outside of the inner gradient', () => {
    const x = tf.ones<tf.Rank.R2>([3, 4]);
    expect(() =>
      tf.grad((outer) => {
        const loss = softmaxCrossEntropy(outer as tf.Tensor2D, labels());
        return tf.sum(tf.grad(() => loss)(outer));
      })(x),
    ).toThrow(/gradient of softmaxCrossEntropy should be differentiated only where the forward/);
    x.dispose();
  });
});
