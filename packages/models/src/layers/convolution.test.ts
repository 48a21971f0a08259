import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { convolution, type ConvolutionConfig } from './convolution.ts';

const base = {
  kernelInitializer: tfl.initializers.randomNormal({ seed: 5 }),
  biasInitializer: tfl.initializers.randomNormal({ seed: 6 }),
};
const configs: readonly [string, ConvolutionConfig][] = [
  ['bias and ReLU', { name: 'a', filters: 5, kernelSize: 3, padding: 'same', activation: 'relu' }],
  ['a stride and a bias', { name: 'b', filters: 4, kernelSize: 3, padding: 'same', strides: 2 }],
  ['neither', { name: 'c', filters: 4, kernelSize: 2, padding: 'valid', useBias: false }],
  ['ReLU alone', { name: 'd', filters: 3, kernelSize: 1, useBias: false, activation: 'relu' }],
];

function image(): tf.Tensor4D {
  return tf.randomNormal([2, 7, 6, 3], 0, 1, 'float32', 7);
}

function variablesOf(layer: tfl.layers.Layer): tf.Variable[] {
  const found: tf.Variable[] = [];
  for (const weight of layer.trainableWeights) {
    const value = weight.read();
    if (value instanceof tf.Variable) found.push(value as tf.Variable);
  }
  return found;
}

/** Output and the gradients of `Σ weight · y` by x and the layer's weights. */
function trial(layer: tfl.layers.Layer): Float32Array[] {
  return tf.tidy(() => {
    const x = tf.variable(image());
    const y = layer.apply(x) as tf.Tensor;
    const weight = tf.randomNormal(y.shape, 0, 1, 'float32', 8);
    const sources = [x, ...variablesOf(layer)];
    const { grads } = tf.variableGrads(
      () => tf.sum(tf.mul(weight, layer.apply(x) as tf.Tensor)) as tf.Scalar,
      sources,
    );
    const found = [y, ...sources.map(({ name }) => grads[name]!)];
    const values = found.map((tensor) => tensor.dataSync<'float32'>().slice());
    x.dispose();
    layer.dispose();
    return values;
  });
}

describe.each(testedBackends())('convolution on %s', (backend) => {
  beforeAll(() => startTestedBackend(backend));

  it.each(configs)(
    'is the layer of TensorFlow.js in value and gradients, with %s',
    async (_, own) => {
      const config = { ...base, ...own };
      const found = await expectConstantMemory(() => trial(convolution(config)));
      const expected = trial(tfl.layers.conv2d(config as Parameters<typeof tfl.layers.conv2d>[0]));
      expect(found).toHaveLength(expected.length);
      found.forEach((values, k) => {
        expect(values).toHaveLength(expected[k]!.length);
        values.forEach((value, i) => expect(Math.abs(value - expected[k]![i]!)).toBeLessThan(2e-5));
      });
    },
  );

  it.each(configs)('leaves out the gradient that nothing asks for, with %s', async (_, own) => {
    const layer = convolution({ ...base, ...own });
    const x = image();
    layer.apply(x);
    const kernel = variablesOf(layer)[0]!;
    const { kernelNames } = await tf.profile(() => {
      const { grads } = tf.variableGrads(
        () => tf.sum(layer.apply(x) as tf.Tensor) as tf.Scalar,
        [kernel],
      );
      return grads[kernel.name]!;
    });
    expect(kernelNames).toContain('Conv2DBackpropFilter');
    expect(kernelNames).not.toContain('Conv2DBackpropInput');
    layer.dispose();
    x.dispose();
  });
});

it('is saved as the layer of TensorFlow.js', () => {
  const config = { ...base, ...configs[0]![1] };
  const stock = tfl.layers.conv2d(config as Parameters<typeof tfl.layers.conv2d>[0]);
  const layer = convolution(config);
  expect(layer.getClassName()).toBe('Conv2D');
  expect(layer.getConfig()).toEqual(stock.getConfig());
});
