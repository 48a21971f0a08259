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
import { gradientFromSums } from './deferred-sums.ts';
import { Tape } from './tape.ts';

beforeAll(async () => {
  await startTestBackend();
});

const names = ['a', 'b', 'c'] as const;

/** The centred input, where `ranks` ranks have the same samples: `x − mean(x)`, times a factor. */
function centred(x: tf.Tensor, ranks: number, spoil = false): tf.Tensor {
  const sumNow = (values: Float64Array): void => {
    values.forEach((value, index) => (values[index] = value * ranks));
  };
  const own = (value: tf.Tensor): Float64Array => Float64Array.from(tf.sum(value).dataSync());
  const meanOf = (sums: Float64Array): number => sums[0]! / (x.size * ranks);
  const operation = tf.customGrad((input) => {
    const sums = own(input as tf.Tensor);
    sumNow(sums);
    return {
      value: tf.sub(input as tf.Tensor, meanOf(sums)),
      gradFunc: (dy: tf.Tensor) => {
        const gradient = gradientFromSums(own(dy), sumNow, (total) => tf.sub(dy, meanOf(total)));
        return spoil ? tf.add(tf.zerosLike(dy), gradient) : gradient;
      },
    };
  });
  return operation(x);
}

describe('backward passes side by side', () => {
  it.each([
    ['a multilayer perceptron', multilayerPerceptron],
    ['a convolutional network', convolutionalNetwork],
    ['a network with batch norm and dropout', normalisedNetwork],
  ])('give exactly the gradients of one after the other on %s', async (_, make) => {
    await expectConstantMemory(async () => {
      const { variables, losses, dispose } = make();
      const tape = Tape.record(losses);
      const paths = tape.paths(variables);
      const found = names.map((): (tf.Tensor | null)[] => []);
      await tape.backwardTogether(
        names.map((name) => [{ tensor: tape.value[name] }]),
        paths,
        async () => Promise.reject(new Error('No operation needs sums.')),
        async (source, gradients) => {
          gradients.forEach((gradient, pass) => (found[pass]![source] = gradient));
          return Promise.resolve();
        },
      );
      names.forEach((name, pass) => {
        const expected = tape.backward([{ tensor: tape.value[name] }], paths);
        expect(found[pass]!.length).toBe(variables.length);
        expected.forEach((gradient, index) => {
          expect(found[pass]![index]?.dataSync()).toEqual(gradient?.dataSync());
        });
        tf.dispose([...expected, ...found[pass]!].filter((one) => one !== null));
      });
      tape.dispose();
      tf.dispose(tape.value);
      dispose();
    });
  });

  /** Two branches with a sum over the ranks each, then one sum over both. */
  function branches(v: tf.Variable, w: tf.Variable, spoil = false): Record<'a' | 'b', tf.Scalar> {
    const left = centred(tf.square(v), 3);
    const right = centred(tf.exp(w), 3, spoil);
    const both = tf.square(centred(tf.mul(left, right), 3));
    return { a: tf.sum(both), b: tf.sum(tf.mul(both, both)) };
  }

  async function walked(
    sum: (values: Float64Array) => Promise<Float64Array>,
    take: (source: number) => void = () => undefined,
    spoil = false,
  ): Promise<{ readonly together: number[][]; readonly alone: number[][] }> {
    const v = variableOf(() => tf.tensor1d([0.5, -1, 2]));
    const w = variableOf(() => tf.tensor1d([0.1, 0.7, -0.4]));
    const tape = Tape.record(() => branches(v, w, spoil));
    const { a, b } = tape.value;
    try {
      const paths = tape.paths([v, w]);
      const together: number[][] = [];
      await tape.backwardTogether(
        [[{ tensor: a }], [{ tensor: b }]],
        paths,
        sum,
        async (source, gradients) => {
          gradients.forEach((gradient, pass) => {
            together[2 * pass + source] = [...gradient!.dataSync()];
            gradient!.dispose();
          });
          take(source);
          return Promise.resolve();
        },
      );
      const alone = [a, b].flatMap((tensor) => {
        const gradients = tape.backward([{ tensor }], paths);
        const values = gradients.map((gradient) => [...gradient!.dataSync()]);
        tf.dispose(gradients as tf.Tensor[]);
        return values;
      });
      return { together, alone };
    } finally {
      tape.dispose();
      tf.dispose([a, b, v, w]);
    }
  }

  it('exchange the sums of all passes, and of operations that do not wait for each other, at once', async () => {
    await expectConstantMemory(async () => {
      const asked: number[] = [];
      const taken: number[] = [];
      const { together, alone } = await walked(
        async (values) => {
          asked.push(values.length);
          return Promise.resolve(values.map((value) => 3 * value));
        },
        (source) => taken.push(source),
      );
      // First the last operation of both passes, then both branches of both passes.
      expect(asked).toEqual([2, 4]);
      expect(together).toEqual(alone);
      expect(taken.toSorted()).toEqual([0, 1]);
    });
  });

  it.each<[string, Parameters<typeof walked>, RegExp]>([
    ['sums fail', [async () => Promise.reject(new Error('Rank 1 has ended'))], /Rank 1 has ended/],
    [
      'a gradient cannot be taken',
      [
        async (values) => Promise.resolve(values),
        () => {
          throw new Error('no room');
        },
      ],
      /no room/,
    ],
    [
      'an operation computes with what stands for a later gradient',
      [async (values) => Promise.resolve(values), () => undefined, true],
      /should return what `gradientFromSums` returns as it is/,
    ],
  ])('free everything where %s', async (_, given, message) => {
    await expectConstantMemory(async () => {
      await expect(walked(...given)).rejects.toThrow(message);
    });
  });
});

it('hands over a gradient before the backward pass has ended', async () => {
  await expectConstantMemory(async () => {
    const [first, last] = [1, 2].map((value) => variableOf(() => tf.scalar(value)));
    const tape = Tape.record(() => tf.mul(tf.square(tf.square(first!)), last!));
    const seen: string[] = [];
    const operation = tape.operations[0]!;
    const watched = operation.gradient!;
    (operation as { gradient: typeof watched }).gradient = (dys) => {
      seen.push('the first operation');
      return watched(dys);
    };
    await tape.backwardTogether(
      [[{ tensor: tape.value }]],
      tape.paths([first!, last!]),
      async (values) => Promise.resolve(values),
      async (source, [gradient]) => {
        seen.push(`source ${source}`);
        gradient!.dispose();
        return Promise.resolve();
      },
    );
    expect(seen).toEqual(['source 1', 'the first operation', 'source 0']);
    tape.dispose();
    tf.dispose([tape.value, first!, last!]);
  });
});
