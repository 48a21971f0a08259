import { expectConstantMemory, startTestBackend, testedBackends } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { assertLabels } from './labels.ts';
import { accuracy, softmaxCrossEntropy } from './softmax-cross-entropy.ts';

interface Case {
  readonly logits: number[][];
  readonly labels: number[];
}

const float = fc.float({ min: -20, max: 20, noNaN: true });
const cases: fc.Arbitrary<Case> = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 2, max: 6 }))
  .chain(([count, classes]) =>
    fc.record({
      logits: fc.array(fc.array(float, { minLength: classes, maxLength: classes }), {
        minLength: count,
        maxLength: count,
      }),
      labels: fc.array(fc.integer({ min: 0, max: classes - 1 }), {
        minLength: count,
        maxLength: count,
      }),
    }),
  );

/** The definition in float64. */
function reference({ logits, labels }: Case): number {
  const each = logits.map((row, i) => {
    const largest = Math.max(...row);
    const total = row.reduce((sum, z) => sum + Math.exp(z - largest), 0);
    return Math.log(total) + largest - row[labels[i]!]!;
  });
  return each.reduce((sum, loss) => sum + loss, 0) / each.length;
}

function lossOf({ logits, labels }: Case): number {
  return tf.tidy(
    () => softmaxCrossEntropy(tf.tensor2d(logits), tf.tensor1d(labels, 'int32')).dataSync()[0]!,
  );
}

function gradientOf({ logits, labels }: Case): number[][] {
  return tf.tidy(() => {
    const classes = tf.tensor1d(labels, 'int32');
    const gradient = tf.grad((z) => softmaxCrossEntropy(z as tf.Tensor2D, classes));
    return gradient(tf.tensor2d(logits)).arraySync() as number[][];
  });
}

// Absolute error of a float32 sum of a few terms of size up to 40.
const float32Error = 2e-5;

describe.each(testedBackends())('softmaxCrossEntropy on %s', (backend) => {
  beforeAll(async () => {
    await startTestBackend(backend === 'wasm' ? 'wasm' : 'cpu');
  });

  it('is the mean of log Σ exp z − z_y', async () => {
    await expectConstantMemory(() => {
      fc.assert(
        fc.property(cases, (given) => {
          expect(Math.abs(lossOf(given) - reference(given))).toBeLessThan(float32Error);
        }),
      );
    });
  });

  it('has the gradient of its definition, by central differences in float64', async () => {
    await expectConstantMemory(() => {
      fc.assert(
        fc.property(cases, (given) => {
          const gradient = gradientOf(given);
          const step = 1e-4;
          const moved = (i: number, c: number, by: number) =>
            reference({
              ...given,
              logits: given.logits.map((row, r) =>
                row.map((z, k) => (r === i && k === c ? z + by : z)),
              ),
            });
          given.logits.forEach((row, i) => {
            row.forEach((_, c) => {
              const difference = (moved(i, c, step) - moved(i, c, -step)) / (2 * step);
              expect(Math.abs(gradient[i]![c]! - difference)).toBeLessThan(1e-6);
            });
          });
        }),
      );
    });
  });

  it('scales its gradient by what comes from above', async () => {
    await expectConstantMemory(() => {
      const given = { logits: [[1, 2, 3]], labels: [0] };
      const tripled = tf.tidy(() => {
        const classes = tf.tensor1d(given.labels, 'int32');
        const gradient = tf.grad((z) => tf.mul(softmaxCrossEntropy(z as tf.Tensor2D, classes), 3));
        return gradient(tf.tensor2d(given.logits)).arraySync() as number[][];
      });
      gradientOf(given)[0]!.forEach((value, c) => {
        expect(tripled[0]![c]).toBeCloseTo(3 * value, 5);
      });
    });
  });

  it('agrees with the loss of TensorFlow.js', async () => {
    await expectConstantMemory(() => {
      const given = {
        logits: [
          [1, -2, 0.5],
          [3, 3, -1],
        ],
        labels: [2, 0],
      };
      const theirs = tf.tidy(() => {
        const oneHot = tf.oneHot(tf.tensor1d(given.labels, 'int32'), 3);
        return tf.losses.softmaxCrossEntropy(oneHot, tf.tensor2d(given.logits)).dataSync()[0]!;
      });
      expect(lossOf(given)).toBeCloseTo(theirs, 5);
    });
  });

  it('stays finite for logits of any finite size', async () => {
    await expectConstantMemory(() => {
      const given = {
        logits: [
          [1e30, -1e30, 0],
          [200, 200, -200],
        ],
        labels: [0, 1],
      };
      expect(lossOf(given)).toBeCloseTo(Math.log(2) / 2, 5);
      expect(gradientOf(given).flat().every(Number.isFinite)).toBe(true);
      expect(lossOf({ logits: [[1e30, 0]], labels: [1] })).toBeCloseTo(1e30, -25);
    });
  });

  it.each([-2, 3, 1000])(
    'is NaN, never zero, for a label of %i among three classes',
    async (label) => {
      await expectConstantMemory(() => {
        const given = {
          logits: [
            [1, 2, 3],
            [1, 2, 3],
          ],
          labels: [0, label],
        };
        expect(lossOf(given)).toBeNaN();
        expect(gradientOf(given)[1]!.every(Number.isNaN)).toBe(true);
      });
    },
  );

  it('is, with labels missing, exactly that of the samples that have one', async () => {
    await expectConstantMemory(() => {
      const logits = [
        [1, 2, 3],
        [0, -1, 4],
        [2, 2, 1],
        [5, 0, 1],
      ];
      const some = { logits, labels: [2, -1, 0, -1] };
      const reduced = { logits: [logits[0]!, logits[2]!], labels: [2, 0] };
      expect(lossOf(some)).toBe(lossOf(reduced));
      const [first, second] = gradientOf(reduced);
      expect(gradientOf(some)).toEqual([first, [0, 0, 0], second, [0, 0, 0]]);
      expect(lossOf({ logits, labels: [-1, -1, -1, -1] })).toBeNaN();
      tf.tidy(() => {
        const share = accuracy(tf.tensor2d(logits), tf.tensor1d([2, -1, 2, -1], 'int32'));
        expect(share.arraySync()).toBe(0.5);
      });
    });
  });

  it('counts the rows whose largest logit is that of their label', async () => {
    await expectConstantMemory(() => {
      const [logits, labels] = [
        tf.tensor2d([
          [2, 1, 0],
          [0, 1, 2],
          [1, 3, 2],
          [9, 0, 0],
        ]),
        tf.tensor1d([0, 2, 2, 0], 'int32'),
      ];
      const share = accuracy(logits, labels);
      expect(share.dataSync()[0]).toBe(0.75);
      tf.dispose([logits, labels, share]);
    });
  });

  it('refuses shapes and types that do not fit', async () => {
    await expectConstantMemory(() => {
      const logits = tf.zeros<tf.Rank.R2>([2, 3]);
      const wrong: tf.Tensor1D[] = [
        tf.tensor1d([0, 1, 2], 'int32'),
        tf.tensor1d([0, 1]),
        tf.tensor2d([[0, 1]], undefined, 'int32') as unknown as tf.Tensor1D,
      ];
      for (const labels of wrong) {
        expect(() => softmaxCrossEntropy(logits, labels)).toThrow('Found float32 [2, 3] and ');
        expect(() => accuracy(logits, labels)).toThrow('`accuracy` should get');
      }
      const none = [tf.zeros<tf.Rank.R2>([0, 3]), tf.tensor1d([], 'int32')] as const;
      expect(() => softmaxCrossEntropy(...none)).toThrow('n >= 1');
      tf.dispose([logits, wrong, ...none]);
    });
  });
});

describe('assertLabels', () => {
  it('accepts every class and names the first label that is none', () => {
    expect(() => assertLabels([0, 1, 2], 3)).not.toThrow();
    expect(() => assertLabels([0, 3, 4], 3, 'labels of batch 2')).toThrow(
      'labels of batch 2: expected integers from 0 to 2 for 3 classes. Found 3 at position 1.',
    );
    expect(() => assertLabels([-1], 3)).toThrow('labels: expected integers from 0 to 2');
    expect(() => assertLabels([0.5], 3)).toThrow('Found 0.5 at position 0.');
    expect(() => assertLabels([Number.NaN], 3)).toThrow('Found NaN');
  });
});
