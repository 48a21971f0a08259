import {
  expectConstantMemory,
  startTestBackend,
  testedBackends,
  variableOf,
} from '@multigrad/test-support';
import { sum } from '@multigrad/strategy-sum';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { fusedMomentum } from '../optimizers/fused-momentum.ts';
import { MultiObjectiveTrainer } from '../trainer/multi-objective-trainer.ts';
import type { Modulate } from './modulation.ts';

const start = [1, -2, 0.5];

/** Trains two variables by the sums of their squares; the gradients are [2, −4, 1] at the start. */
async function train(
  modulate: (first: tf.Variable, second: tf.Variable) => Modulate<'one' | 'two'>,
  steps = 1,
): Promise<{ readonly first: number[]; readonly second: number[] }> {
  const [first, second] = [0, 1].map(() => variableOf(() => tf.tensor1d(start))) as [
    tf.Variable,
    tf.Variable,
  ];
  const variables = new Map([
    ['first', first],
    ['second', second],
  ]);
  const optimizer = fusedMomentum(variables, { learningRate: 0.1, momentum: 0.5 });
  const trainer = new MultiObjectiveTrainer<null, 'one' | 'two'>({
    objectives: () => ({
      one: { loss: tf.sum(tf.square(first)), metrics: { half: tf.scalar(0.5) } },
      two: tf.sum(tf.square(second)),
    }),
    variables,
    strategy: sum(),
    optimizer,
    weightDecay: 0.1,
    modulate: modulate(first, second),
  });
  try {
    for (let step = 0; step < steps; step += 1) await trainer.trainOnBatch(null);
    return { first: [...first.dataSync()], second: [...second.dataSync()] };
  } finally {
    trainer.dispose();
    optimizer.dispose();
    tf.dispose([first, second]);
  }
}

const close = (found: readonly number[], expected: readonly number[]): void => {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
};

/** One step: the gradient 2w times a factor, and the decay 0.1 w, by the rate 0.1. */
const stepped = (factor: number, rate = 1): number[] =>
  start.map((w) => w - rate * 0.1 * (factor * 2 * w + 0.1 * w));

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestBackend(backend === 'wasm' ? 'wasm' : 'cpu');
  });

  it('scales a gradient but not its decay, a learning rate with its decay, and leaves others as they are', async () => {
    await expectConstantMemory(async () => {
      const scaled = await train((first) => () => ({
        variables: new Map([[first, { gradient: 0.25 }]]),
      }));
      close(scaled.first, stepped(0.25));
      close(scaled.second, stepped(1));
      const slowed = await train((first) => () => ({
        variables: new Map([[first, { rate: 0.25 }]]),
      }));
      close(slowed.first, stepped(1, 0.25));
      close(slowed.second, stepped(1));
    });
  });

  it('gives no update where it says null: no decay and no momentum either', async () => {
    await expectConstantMemory(async () => {
      const frozen = await train(
        (first) =>
          ({ step }) => ({ variables: new Map(step === 0 ? [] : [[first, null]]) }),
        3,
      );
      close(frozen.first, stepped(1));
      expect(frozen.second).not.toEqual(frozen.first);
    });
  });

  it('changes a gradient after its factor', async () => {
    await expectConstantMemory(async () => {
      const { first } = await train((variable) => () => ({
        variables: new Map([[variable, { gradient: 0.5, change: (g) => tf.add(g, 3) }]]),
      }));
      close(
        first,
        start.map((w) => w - 0.1 * (w + 3 + 0.1 * w)),
      );
    });
  });

  it('tells what the step has measured, and the norms of gradients', async () => {
    await expectConstantMemory(async () => {
      const seen: unknown[] = [];
      await train((first, second) => async ({ step, losses, metrics, squaredNorms }) => {
        seen.push([step, losses, metrics.one, await squaredNorms([[first], [first, second], []])]);
        return { variables: new Map() };
      });
      expect(seen).toEqual([[0, { one: 5.25, two: 5.25 }, { half: 0.5 }, [21, 42, 0]]]);
    });
  });

  it('lets accept know of a step that succeeded, and of no other', async () => {
    await expectConstantMemory(async () => {
      let accepted = 0;
      const accept = (): void => {
        accepted += 1;
      };
      await train(() => () => ({ variables: new Map(), accept }), 2);
      expect(accepted).toBe(2);
      const change = (): tf.Tensor => tf.zeros([2]);
      await expect(
        train((first) => () => ({ variables: new Map([[first, { change }]]), accept })),
      ).rejects.toThrow('keep the shape of the gradient of `first`, [3]. Found [2]');
      expect(accepted).toBe(2);
    });
  });

  it.each([NaN, -1, Infinity])('refuses the factor %d', async (factor) => {
    await expectConstantMemory(async () => {
      for (const wrong of [{ gradient: factor }, { rate: factor }]) {
        await expect(
          train((first) => () => ({ variables: new Map([[first, wrong]]) })),
        ).rejects.toThrow('should be a finite number >= 0');
      }
    });
  });

  it('refuses a variable that is not the trainer’s', async () => {
    await expectConstantMemory(async () => {
      const other = variableOf(() => tf.scalar(1));
      await expect(train(() => () => ({ variables: new Map([[other, null]]) }))).rejects.toThrow(
        'should name variables of the trainer',
      );
      other.dispose();
    });
  });
});
