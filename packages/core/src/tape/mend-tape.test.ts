import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import {
  expectConstantMemory,
  expectSecondDerivative,
  startTestBackend,
  variableOf,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { gradientDepth } from './tape-internals.ts';
import { mendTape } from './mend-tape.ts';
import { Tape } from './tape.ts';

beforeAll(async () => {
  await startTestBackend();
});

describe('a mended tape', () => {
  it('is what the first recording leaves, once', () => {
    const v = variableOf(() => tf.scalar(1));
    const before = tf.engine() as unknown as Record<string, unknown>;
    Tape.record(() => tf.square(v)).dispose();
    const recording = before['addTapeNode'];
    mendTape();
    expect(before['addTapeNode']).toBe(recording);
    v.dispose();
  });

  it.each<[string, (x: tf.Tensor) => tf.Tensor]>([
    ['tanh', tf.tanh],
    ['sigmoid', tf.sigmoid],
    ['exp', tf.exp],
    ['softmax', (x) => tf.softmax(x)],
    ['sigmoid cross-entropy', (x) => tf.losses.sigmoidCrossEntropy(tf.onesLike(x), x)],
    ['a gradient of the program that reads its output', (x) => exponential(tf.sin(x))],
  ])('has the second derivative of %s', async (_, f) => {
    await expectSecondDerivative(f);
  });

  it('takes comparisons and positions for constants', async () => {
    await expectConstantMemory(() => {
      tf.tidy(() => {
        const x = tf.tensor1d([-1, 2, 5]);
        const slope = tf.grad((value) => {
          const chosen = tf.where(tf.greater(value, 0), tf.mul(value, 3), tf.square(value));
          const mask = tf.logicalNot(tf.isNaN(tf.sub(value, 1)));
          const largest = tf.oneHot(tf.argMax(value), 3);
          return tf.sum(tf.mul(tf.mul(chosen, tf.cast(mask, 'float32')), tf.add(largest, 1)));
        });
        expect([...slope(x).dataSync()]).toEqual([-2, 3, 6]);
        const ofComparison = (): tf.Tensor =>
          tf.grad((value) => tf.cast(tf.greater(value, 0), 'float32'))(x);
        // Where nothing else is on the way, stock has no gradient, and our backends one of zeros.
        if (tf.getBackend() === 'cpu') {
          expect(ofComparison).toThrow('Cannot compute gradient of y=f(x) with respect to x');
        } else {
          expect([...ofComparison().dataSync()]).toEqual([0, 0, 0]);
        }
      });
    });
  });

  it('is open as deep as gradients stand in each other', () => {
    const depths: number[] = [];
    const look = (x: tf.Tensor): tf.Tensor => {
      depths.push(gradientDepth());
      return tf.square(x);
    };
    tf.tidy(() => {
      look(tf.scalar(1));
      tf.grad(look)(tf.scalar(1));
      tf.grad((x) => tf.grad(look)(x))(tf.scalar(1));
    });
    const v = variableOf(() => tf.scalar(1));
    Tape.record(() => tf.tidy(() => [look(v), tf.grad(look)(v)].length)).dispose();
    expect(depths).toEqual([0, 1, 2, 1, 2]);
    v.dispose();
  });
});

/** exp with a gradient that reads what it returned. */
function exponential(x: tf.Tensor): tf.Tensor {
  const operation = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [input, save] = inputs as [tf.Tensor, tf.GradSaveFunc];
    const value = tf.exp(input);
    save([value]);
    return { value, gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => tf.mul(dy, saved!) };
  });
  return operation(x);
}
