import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import {
  convolutionalNetwork,
  expectConstantMemory,
  multilayerPerceptron,
  normalisedNetwork,
  startTestBackend,
  variableOf,
} from '@multigrad/test-support';
import { beforeAll, describe, expect, it } from 'vitest';
import { MultigradError } from '../base/errors.ts';
import { Tape } from './tape.ts';
import { tapeEngine } from './tape-internals.ts';

beforeAll(async () => {
  await startTestBackend();
});

describe('Tape', () => {
  it.each([
    ['a multilayer perceptron', multilayerPerceptron],
    ['a convolutional network', convolutionalNetwork],
    ['a network with batch norm and dropout', normalisedNetwork],
  ])('gives exactly the gradients of K separate variableGrads on %s', async (_, make) => {
    await expectConstantMemory(() => {
      const { variables, losses, dispose } = make();
      const tape = Tape.record(losses);
      const paths = tape.paths(variables);
      for (const name of ['a', 'b', 'c'] as const) {
        const expected = tf.variableGrads(() => losses()[name], [...variables]);
        const found = tape.backward([{ tensor: tape.value[name] }], paths);
        expect(tape.value[name].dataSync()).toEqual(expected.value.dataSync());
        variables.forEach((variable, index) => {
          expect(found[index]?.dataSync()).toEqual(expected.grads[variable.name]?.dataSync());
        });
        tf.dispose([expected.value, expected.grads, found.filter((g) => g !== null)]);
      }
      tape.dispose();
      tf.dispose(tape.value);
      dispose();
    });
  });

  it('adds up several seeds, scaled, in one backward pass', async () => {
    await expectConstantMemory(() => {
      const v = variableOf(() => tf.tensor1d([1, -2, 3]));
      const tape = Tape.record(() => ({ square: tf.sum(tf.square(v)), sum: tf.sum(v) }));
      const two = tf.scalar(2);
      const [gradient] = tape.backward(
        [{ tensor: tape.value.square }, { tensor: tape.value.sum, gradient: two }],
        tape.paths([v]),
      );
      expect([...gradient!.dataSync()]).toEqual([4, -2, 8]);
      tape.dispose();
      tf.dispose([gradient!, two, tape.value.square, tape.value.sum, v]);
    });
  });

  it('returns null for what a target does not reach, and says so structurally', async () => {
    await expectConstantMemory(() => {
      const a = variableOf(() => tf.scalar(1));
      const b = variableOf(() => tf.scalar(2));
      const tape = Tape.record(() => ({ a: tf.mul(a, 0), b: tf.square(b) }));
      const paths = tape.paths([a, b]);
      const gradients = tape.backward([{ tensor: tape.value.a }], paths);
      expect(gradients[1]).toBeNull();
      expect(gradients[0]?.dataSync()[0]).toBe(0);
      const ancestors = tape.ancestors(tape.value.a, paths);
      expect([ancestors.has(a.id), ancestors.has(b.id)]).toEqual([true, false]);
      tape.dispose();
      tf.dispose([gradients[0]!, tape.value.a, tape.value.b, a, b]);
    });
  });

  it('never frees tensors that a gradient function only borrowed', async () => {
    await expectConstantMemory(() => {
      const v = variableOf(() => tf.tensor1d([1, 2]));
      const constant = tf.tensor1d([5, 7]);
      const borrow = tf.customGrad((x) => ({
        value: tf.clone(x as tf.Tensor),
        gradFunc: () => constant,
      }));
      const tape = Tape.record(() => ({ loss: tf.sum(tf.add(borrow(v), borrow(v))) }));
      const [gradient] = tape.backward([{ tensor: tape.value.loss }], tape.paths([v]));
      expect([...gradient!.dataSync()]).toEqual([10, 14]);
      expect(constant.isDisposed).toBe(false);
      tape.dispose();
      tf.dispose([gradient!, tape.value.loss, constant, v]);
    });
  });

  it('differentiates with respect to features inside the graph', async () => {
    await expectConstantMemory(() => {
      const v = variableOf(() => tf.tensor1d([1, 2]));
      const tape = Tape.record(() => {
        const feature = tf.square(v);
        return { feature, loss: tf.sum(tf.mul(feature, 3)) };
      });
      const { feature, loss } = tape.value;
      const [atFeature] = tape.backward([{ tensor: loss }], tape.paths([feature]));
      const [atVariable] = tape.backward(
        [{ tensor: feature, gradient: atFeature! }],
        tape.paths([v]),
      );
      expect([...atVariable!.dataSync()]).toEqual([6, 12]);
      const cut = new Set([feature.id]);
      expect(tape.ancestors(loss, tape.paths([v]), cut).has(v.id)).toBe(false);
      tape.dispose();
      tf.dispose([atFeature!, atVariable!, feature, loss, v]);
    });
  });

  it('leaves nothing behind when the forward pass throws', async () => {
    const v = variableOf(() => tf.scalar(1));
    await expectConstantMemory(() => {
      expect(() =>
        Tape.record(() => {
          tf.square(v);
          throw new Error('boom');
        }),
      ).toThrow('boom');
      expect(tapeEngine().state).toMatchObject({ gradientDepth: 0, activeTape: null });
    });
    v.dispose();
  });

  it('names an operation without a gradient, and leaves nothing behind', async () => {
    const v = variableOf(() => tf.ones<tf.Rank.R4>([1, 2, 2, 1]));
    await expectConstantMemory(() => {
      const tape = Tape.record(() => {
        const [boxes, indices] = [tf.tensor2d([[0, 0, 1, 1]]), tf.tensor1d([0], 'int32')];
        const image = v as unknown as tf.Tensor4D;
        return { loss: tf.sum(tf.image.cropAndResize(image, boxes, indices, [2, 2])) };
      });
      expect(() => tape.backward([{ tensor: tape.value.loss }], tape.paths([v]))).toThrow(
        /no gradient for CropAndResize/,
      );
      tape.dispose();
      tape.value.loss.dispose();
    });
    v.dispose();
  });

  it('refuses to record inside an open gradient tape, and to walk backward once disposed', () => {
    const v = variableOf(() => tf.scalar(2));
    expect(() =>
      tf.grad((x) => {
        Tape.record(() => x);
        return x;
      })(v),
    ).toThrow(/outside/);
    const tape = Tape.record(() => ({ loss: tf.square(v) }));
    tape.dispose();
    tape.dispose();
    expect(() => tape.paths([v])).toThrow(MultigradError);
    tf.dispose([tape.value.loss, v]);
  });
});
