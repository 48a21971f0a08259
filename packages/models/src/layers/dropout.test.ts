import '@tensorflow/tfjs-backend-cpu';
import { seededUniform, uniformKey } from '@multigrad/core/kernels';
import { expectConstantMemory, savedAndLoaded } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  layers,
  type LayersModel,
  model,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { multilayerPerceptron } from '../encoders/multilayer-perceptron.ts';
import { multimodalNetwork } from '../networks/make-multimodal-network.ts';
import { dropout } from './dropout.ts';

const at = (step: number): Record<string, boolean | number> => ({ training: true, step });
const numbers = (x: tf.Tensor): number[] => [...x.dataSync()];

const inTidy = (body: () => void): Promise<void> =>
  expectConstantMemory(() => {
    tf.tidy(body);
  });

/** An encoder with dropout in it. */
function encoder(name: string): LayersModel {
  const sample = input({ name: `${name}/sample`, shape: [6] });
  const chain = [
    layers.dense({ name: `${name}/dense`, units: 8, activation: 'relu' }),
    dropout({ name: `${name}/dropout`, rate: 0.5, seed: 3 }),
  ];
  const outputs = chain.reduce((x, layer) => layer.apply(x) as SymbolicTensor, sample);
  return model({ name, inputs: sample, outputs });
}

describe('dropout', () => {
  it('keeps what the uniform numbers of seed, step and name say, scaled to the same mean', async () => {
    await inTidy(() => {
      const layer = dropout({ name: 'a/dropout', rate: 0.25, seed: 5 });
      const x = tf.randomNormal([7, 9], 0, 1, 'float32', 1);
      const y = layer.apply(x, at(11)) as tf.Tensor;
      const key = uniformKey(5, 11, 'a/dropout');
      const expected = numbers(x).map((value, i) =>
        seededUniform(key, i) < 0.25 ? 0 : value / 0.75,
      );
      numbers(y).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
      expect(numbers(layer.apply(x, at(11)) as tf.Tensor)).toEqual(numbers(y));
      expect(numbers(layer.apply(x, at(12)) as tf.Tensor)).not.toEqual(numbers(y));
      expect(numbers(layer.apply(x, { training: false }) as tf.Tensor)).toEqual(numbers(x));
    });
  });

  it('drops the gradient by the same mask', async () => {
    await inTidy(() => {
      const layer = dropout({ name: 'b/dropout', rate: 0.5 });
      const x = tf.randomNormal([4, 5], 0, 1, 'float32', 2);
      const gradient = tf.grad((value: tf.Tensor) =>
        tf.sum(layer.apply(value, at(3)) as tf.Tensor),
      )(x);
      expect(numbers(gradient)).toEqual(numbers(layer.apply(tf.onesLike(x), at(3)) as tf.Tensor));
    });
  });

  it('is told the step by the networks of this package, and is saved with its rate and seed', async () => {
    const network = multimodalNetwork({
      encoders: {
        a: encoder('a'),
        b: multilayerPerceptron({ name: 'b', shape: [6], hidden: [], features: 8 }),
      },
      classes: 3,
    });
    try {
      await expectConstantMemory(async () => {
        const features = (step: number): number[] =>
          tf.tidy(() => {
            const batch = { a: tf.ones([2, 6]), b: tf.ones([2, 6]) };
            return numbers(network.features(batch, { training: true, step }).a);
          });
        expect(features(1)).toEqual(features(1));
        expect(features(1)).not.toEqual(features(2));
        const loaded = await savedAndLoaded(network.encoders.a);
        const again = tf.tidy(() => numbers(loaded.apply(tf.ones([2, 6]), at(1)) as tf.Tensor));
        expect(again).toEqual(features(1));
        loaded.dispose();
      });
    } finally {
      network.dispose();
    }
  });

  it('names the layer that was not told the step', () => {
    const layer = dropout({ name: 'c/dropout' });
    const apply = () =>
      tf.tidy(() => layer.apply(tf.ones([1, 2]), { training: true }) as tf.Tensor);
    expect(apply).toThrow(/Layer `c\/dropout` .* Found undefined/);
    expect(() => dropout({ name: 'd', rate: 1 })).toThrow(/below 1.*Found 1/);
    expect(() => dropout({ name: 'd', rate: -0.1 })).toThrow(/`rate`.*-0\.1/);
  });
});
