import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { disposeOptimizer, expectConstantMemory, variableOf } from '@multigrad/test-support';
import { beforeAll, describe, expect, it } from 'vitest';
import { MultiObjectiveTrainer } from '../trainer/multi-objective-trainer.ts';
import { integrateMatrix } from './integrate-matrix.ts';
import type { GradientStrategy } from './strategy.ts';

// Strategies of somebody else, in plain JavaScript: nothing holds them to the types.

beforeAll(async () => {
  await tf.setBackend('cpu');
});

function odd(answer: unknown, members: object = {}, gradients = 'gramian'): GradientStrategy {
  return {
    specification: 1,
    name: 'odd',
    needs: { gradients },
    init: () => null,
    integrate: () => answer,
    ...members,
  } as unknown as GradientStrategy;
}

const weights = Float64Array.of(1, 1);
const thrower = (): never => {
  throw new TypeError('not today');
};

const cases: readonly (readonly [string, GradientStrategy, string])[] = [
  ['a promise', odd(Promise.resolve({ weights, state: null })), 'Found a promise'],
  ['nothing', odd(undefined), 'Found undefined'],
  ['no weights', odd({ state: null }), 'should return `weights`, a Float64Array'],
  ['a number for weights', odd({ weights: 1, state: null }), 'Found 1'],
  ['too few weights', odd({ weights: weights.subarray(1), state: null }), 'Found 1'],
  [
    'NaN',
    odd({ weights: Float64Array.of(NaN, 1), state: null }),
    'should return finite weights. Found NaN',
  ],
  ['texts for weights', odd({ weights: ['1', '2'], state: null }), 'finite weights. Found 1'],
  ['no state', odd({ weights }), 'should return `state`, JSON'],
  [
    'an object for tensor weights',
    odd({ weights, tensorWeights: {}, state: null }),
    'should return `tensorWeights`, a Map',
  ],
  ['an object for a note', odd({ weights, note: {}, state: null }), 'should return `note`, a text'],
  [
    'texts as diagnostics',
    odd({ weights, diagnostics: { a: 'b' }, state: null }),
    'numbers by name',
  ],
  [
    'a getter that throws',
    odd({
      weights,
      state: null,
      get note() {
        return thrower();
      },
    }),
    'threw in its `integrate`. TypeError: not today',
  ],
  [
    'integrate that throws',
    odd(null, { integrate: thrower }),
    'threw in its `integrate`. TypeError: not today',
  ],
  [
    'integrate that throws a text',
    odd(null, {
      integrate: () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- plain JavaScript may
        throw 'words';
      },
    }),
    'threw in its `integrate`. "words"',
  ],
  ['init that throws', odd({ weights, state: null }, { init: thrower }), 'threw in its `init`'],
  [
    'init that waits',
    odd({ weights, state: null }, { init: () => Promise.resolve(null) }),
    'its state from `init`',
  ],
  ['needsNow that throws', odd({ weights, state: null }, { needsNow: thrower }), 'threw'],
  ['no combine', odd({ weights, state: null }, {}, 'rows'), 'should return 1 `combine`'],
  [
    'a number for combine',
    odd({ weights, combine: 1, state: null }, {}, 'rows'),
    'should return `combine`, a function',
  ],
  [
    'combine that throws',
    odd({ weights, combine: thrower, state: null }, {}, 'rows'),
    'threw in its `combine`',
  ],
  [
    'combine without a result',
    odd({ weights, combine: () => undefined, state: null }, {}, 'rows'),
    'from `combine`',
  ],
  ['combine with a number', odd({ weights, combine: () => 7, state: null }, {}, 'rows'), 'Found 7'],
  [
    'combine that waits',
    odd({ weights, combine: () => Promise.resolve([1, 2]), state: null }, {}, 'rows'),
    'Found a Promise',
  ],
];

describe('a strategy that returns', () => {
  it.each(cases)('%s is named where rows are integrated', (_, strategy, message) => {
    expect(() =>
      integrateMatrix(strategy, [
        [1, 2],
        [2, -1],
      ]),
    ).toThrow(message);
  });

  it.each(cases)(
    '%s is named where a network is trained, and changes nothing',
    async (_, strategy, message) => {
      await expectConstantMemory(async () => {
        const u = variableOf(() => tf.tensor1d([1, 2]));
        const optimizer = tf.train.sgd(0.5);
        const x = tf.tensor1d([1]);
        const kept = u.arraySync();
        try {
          const train = async (): Promise<void> => {
            const trainer = new MultiObjectiveTrainer<{ x: tf.Tensor1D }, 'a' | 'b'>({
              objectives: ({ x: input }) => ({
                a: tf.mul(tf.mean(input), tf.sum(u)),
                b: tf.mul(tf.mean(input), tf.sum(tf.square(u))),
              }),
              variables: new Map([['u', u]]),
              strategy,
              optimizer,
            });
            try {
              await trainer.trainOnBatch({ x });
            } finally {
              trainer.dispose();
            }
          };
          await expect(train()).rejects.toThrow(message);
          expect(u.arraySync()).toEqual(kept);
        } finally {
          disposeOptimizer(optimizer);
          tf.dispose([u, x]);
        }
      });
    },
  );

  it('combined rows of another shape, and disposed ones, is named', async () => {
    const shapes = [
      () => tf.zeros([3]),
      () => {
        const t = tf.zeros([2]);
        t.dispose();
        return t;
      },
    ];
    for (const combine of shapes) {
      await expectConstantMemory(async () => {
        const u = variableOf(() => tf.tensor1d([1, 2]));
        const optimizer = tf.train.sgd(0.5);
        const trainer = new MultiObjectiveTrainer<Record<string, tf.Tensor>, 'a' | 'b'>({
          objectives: () => ({ a: tf.sum(u), b: tf.sum(tf.square(u)) }),
          variables: new Map([['u', u]]),
          strategy: odd({ weights, combine, state: null }, {}, 'rows'),
          optimizer,
        });
        try {
          await expect(trainer.trainOnBatch({})).rejects.toThrow(
            /should return a float32 tensor of shape \[2\] from `combine` for `.*`\. Found (one of shape \[3\]|a disposed tensor)/,
          );
        } finally {
          trainer.dispose();
          disposeOptimizer(optimizer);
          u.dispose();
        }
      });
    }
  });
});
