import { MultigradError } from '@multigrad/core/strategy';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { requireExperiment } from '../experiments/index.ts';
import { type Experiment, opened, type OpenExperiment } from '@multigrad/experiment';
import { resolveSettings } from '../experiments/settings.ts';
import { type Trained, trainOnce } from '../testing/train-once.ts';
import type { RunWriter } from '../runs/run-writer.ts';

const template = requireExperiment('cg-mnist');

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Three objectives that pull one shared number towards 1, 2 and −3, the first with an offset of its own; `gray` breaks at the step that is asked for. */
function openToy(brokenFrom: number): OpenExperiment<{ x: tf.Tensor2D }> {
  const [shared, offset] = tf.tidy(
    () => [tf.variable(tf.scalar(0)), tf.variable(tf.scalar(0))] as const,
  );
  let calls = 0;
  const batch = function* (count: number): Generator<{ x: tf.Tensor2D }> {
    for (let k = 0; k < count; k += 1) yield { x: tf.ones([2, 1]) };
  };
  return opened({
    network: { variables: { shared, offset } },
    data: {
      train: { steps: 3, batches: () => asynchronous(batch(3)) },
      validation: { steps: 1, batches: () => asynchronous(batch(1)) },
      test: { steps: 2, batches: () => asynchronous(batch(2)) },
    },
    modalities: ['x'],
    objectives: ({ x }, { training }) => {
      if (training) calls += 1;
      const towards = (target: number | tf.Scalar): tf.Scalar =>
        tf.mean(tf.square(tf.sub(tf.mul(x, shared), target)));
      const broken = calls > brokenFrom ? Number.NaN : 2;
      const measured = (
        loss: tf.Scalar,
      ): { loss: tf.Scalar; metrics: { accuracy: tf.Scalar } } => ({
        loss,
        metrics: { accuracy: tf.scalar(0.5) },
      });
      return {
        multimodal: measured(towards(tf.add(offset, 1))),
        gray: measured(towards(broken)),
        color: measured(towards(-3)),
      };
    },
  });
}

async function* asynchronous<T>(values: Iterable<T>): AsyncGenerator<T, void> {
  for (const value of values) yield await Promise.resolve(value);
}

async function train(
  strategy: string,
  {
    brokenFrom = Infinity,
    epochs = 2,
    ...surroundings
  }: {
    brokenFrom?: number;
    epochs?: number;
    writer?: Partial<RunWriter>;
    signal?: AbortSignal;
  } = {},
): Promise<Trained> {
  return expectConstantMemory(async () => {
    const experiment: Experiment = {
      ...template,
      open: () => Promise.resolve(openToy(brokenFrom)),
    };
    const settings = resolveSettings(template, 'quick', {
      epochs: String(epochs),
      observe: '2',
      lr: '0.01',
    });
    return trainOnce({ experiment, settings, strategy }, { backend: 'cpu', ...surroundings });
  });
}

describe('trainRun', () => {
  it.each(['joint', 'sum', 'mmpareto', 'pcgrad', 'mgda'])(
    'trains %s and takes down steps and epochs',
    async (specifier) => {
      const { result, epochs, steps, printed } = await train(specifier);
      expect(result).toMatchObject({ status: 'finished', epochs: 2, steps: 6, backend: 'cpu' });
      expect(steps.map(({ step, epoch }) => [step, epoch])).toEqual([
        [0, 1],
        [2, 1],
        [4, 2],
      ]);
      // What is observed is written down: every step that is kept has cosines, of whatever strategy.
      for (const { groups } of steps)
        for (const { cosines } of groups) expect(cosines).not.toBeNull();
      expect(epochs.map(({ epoch, step }) => [epoch, step])).toEqual([
        [1, 3],
        [2, 6],
      ]);
      expect(Object.keys(epochs[0]!.test)).toEqual(['multimodal', 'gray', 'color']);
      expect(epochs[0]!.test['gray']!.accuracy).toBe(0.5);
      expect(epochs[1]!.validation).toEqual(epochs[1]!.test);
      // Without x each objective predicts 0: its loss is its target's square.
      expect(epochs[1]!.without!['x']!['gray']!.loss).toBe(4);
      expect(epochs[1]!.without!['x']!['color']!.loss).toBe(9);
      expect(epochs[1]!.train['multimodal']!.loss).not.toBe(epochs[0]!.train['multimodal']!.loss);
      const [seen] = Object.values(result.conflicts);
      const everyStep = ['mmpareto', 'pcgrad', 'mgda'].includes(specifier);
      expect(seen!.seen).toBe(everyStep ? 6 : 3);
      expect(seen!.conflicting).toBe(seen!.seen);
      expect(printed[0]).toContain(`${specifier}, seed 0: 2 epochs of 3 steps`);
    },
  );

  it('reports a loss that is not finite as a failed run, and keeps what came before', async () => {
    const { result, epochs } = await train('mmpareto', { brokenFrom: 4 });
    expect(result).toMatchObject({
      status: 'failed',
      epochs: 1,
      steps: 4,
      error: { code: 'non-finite' },
    });
    expect(result.error!.message).toContain('gray');
    expect(epochs).toHaveLength(1);
  });

  it('stops after the step in which it is interrupted', async () => {
    const interruption = new AbortController();
    const { result, epochs } = await train('sum', {
      epochs: 50,
      signal: interruption.signal,
      writer: {
        step: ({ step }) => {
          if (step === 4) interruption.abort();
          return Promise.resolve();
        },
      },
    });
    expect(result).toMatchObject({ status: 'stopped', epochs: 1, steps: 5 });
    expect(epochs).toHaveLength(1);
  });

  it('does not go on where the records cannot be written', async () => {
    const full = new MultigradError('io', 'Cannot write steps.jsonl: no space left on device.');
    const writer = {
      step: () => Promise.reject(full),
    };
    await expect(train('sum', { writer })).rejects.toBe(full);
  });
});
