import '@tensorflow/tfjs-backend-cpu';
import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { BalancingMethod } from '../contract/method.ts';
import type { BalancedNetwork } from '../contract/network.ts';
import { ogmGe } from '../methods/ogm-ge.ts';
import { smallNetwork } from '../testing/training.ts';
import { balanced } from './balanced.ts';

describe('what balanced is given', () => {
  it('has to be a method, not its factory', () => {
    const network = smallNetwork();
    for (const given of [undefined, ogmGe, {}, 'ogm-ge']) {
      expect(() => balanced(given as unknown as BalancingMethod, network)).toThrow(
        '`balanced` should get a balancing method first, such as `ogmGe()`. Found',
      );
    }
    network.dispose();
  });

  it('has to be a network', () => {
    for (const given of [undefined, null, {}, 3]) {
      expect(() => balanced(ogmGe(), given as unknown as BalancedNetwork)).toThrow(
        '`balanced` should get a network of several modalities as its second argument. Found',
      );
    }
  });

  it('has to be a network that drops no modalities', () => {
    const encoder = (name: string) =>
      multilayerPerceptron({ name, shape: [3], hidden: [], features: 2 });
    const encoders = { a: encoder('a'), b: encoder('b') };
    const network = multimodalNetwork({ encoders, classes: 2, modalityDropout: 0.3 });
    expect(() => balanced(ogmGe(), network)).toThrow(
      'cannot balance this training: the network drops modalities in training (`modalityDropout`), which no balancing method knows of.',
    );
    network.dispose();
  });

  it.each([
    ['undefined', () => undefined],
    ['a tensor of shape [2] and type float32', () => tf.tensor1d([0, 1])],
    ['a tensor of shape [2, 1] and type int32', () => tf.tensor2d([[0], [1]], [2, 1], 'int32')],
  ])('has batches whose labels are integers, and says that it found %s', async (found, make) => {
    await tf.setBackend('cpu');
    const network = smallNetwork();
    const balance = balanced(ogmGe(), network);
    const label = make();
    const batch = {
      a: tf.ones([2, 4]),
      b: tf.ones([2, 3]),
      ...(label === undefined ? {} : { label }),
    };
    expect(() =>
      balance.options.objectives(batch as tf.NamedTensorMap, { training: true, step: 0 }),
    ).toThrow(`should be a tensor of n int32. Found ${found}.`);
    tf.dispose(batch);
    balance.dispose();
    network.dispose();
  });
});
