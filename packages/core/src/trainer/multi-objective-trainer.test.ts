import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import * as tfd from '@tensorflow/tfjs-data';
import {
  disposeOptimizer,
  expectConstantMemory,
  startTestBackend,
  variableOf,
} from '@multigrad/test-support';
import { beforeAll, describe, expect, it } from 'vitest';
import { fixedWeights, unitSum } from '../testing/strategies.ts';
import type { GradientStrategy } from '../contract/strategy.ts';
import { MultiObjectiveTrainer } from './multi-objective-trainer.ts';
import { perObjective } from '../data/per-objective.ts';
import type { StepReport } from './step-report.ts';

beforeAll(async () => {
  await startTestBackend();
});

type Batch = { x: tf.Tensor; y: tf.Tensor };

/** Two linear regressions on one weight vector, plus a bias that only `shifted` sees. */
function regression(
  strategy: GradientStrategy,
  more: { weightDecay?: number; observe?: { every: number } } = {},
) {
  const shared = variableOf(() => tf.tensor2d([[0.5], [-0.5]]));
  const bias = variableOf(() => tf.scalar(0));
  const contexts: boolean[] = [];
  const optimizer = tf.train.momentum(0.05, 0.9);
  const trainer = new MultiObjectiveTrainer({
    objectives: ({ x, y }: Batch, { training }) => {
      contexts.push(training);
      const prediction = tf.matMul(x as tf.Tensor2D, shared as unknown as tf.Tensor2D);
      const error = tf.sub(prediction, y);
      return {
        plain: {
          loss: tf.mean(tf.square(error)),
          metrics: { mae: tf.mean(tf.abs(error)) },
        },
        shifted: tf.mean(tf.square(tf.sub(tf.add(prediction, bias), tf.add(y, 2)))),
      };
    },
    variables: [shared, bias],
    strategy,
    optimizer,
    ...more,
  });
  return {
    trainer,
    shared,
    bias,
    contexts,
    dispose: () => {
      disposeOptimizer(optimizer);
      tf.dispose([shared, bias]);
    },
  };
}

function samples(): Batch {
  return {
    x: tf.tensor2d([
      [1, 0],
      [0, 1],
      [1, 1],
      [2, 1],
      [1, 3],
    ]),
    y: tf.tensor2d([[1], [2], [3], [4], [7]]),
  };
}

describe('MultiObjectiveTrainer.fit', () => {
  it('trains on a record of tensors and returns a history in the manner of tf.LayersModel', async () => {
    await expectConstantMemory(async () => {
      const { trainer, contexts, dispose } = regression(unitSum());
      const data = samples();
      const { epoch, history, stopped } = await trainer.fit(data, {
        epochs: 12,
        batchSize: 2,
        shuffle: 3,
        validationData: data,
      });
      expect(epoch).toHaveLength(12);
      expect(stopped).toBeUndefined();
      expect(Object.keys(history)).toEqual([
        'loss',
        'plain_loss',
        'shifted_loss',
        'plain_mae',
        'val_loss',
        'val_plain_loss',
        'val_shifted_loss',
        'val_plain_mae',
      ]);
      expect(history.loss!.at(-1)!).toBeLessThan(history.loss![0]!);
      expect(history.val_loss![0]!).toBeCloseTo(
        history.val_plain_loss![0]! + history.val_shifted_loss![0]!,
        5,
      );
      expect(contexts.slice(0, 5)).toEqual([true, true, true, false, false]);
      tf.dispose(data);
      dispose();
    });
  });

  it('weights means by the number of samples of a batch', async () => {
    await expectConstantMemory(async () => {
      const { trainer, dispose } = regression(fixedWeights());
      const data = samples();
      const whole = await trainer.evaluate(data, { batchSize: 5 });
      const parts = await trainer.evaluate(data, { batchSize: 2 });
      expect(whole.samples).toBe(5);
      expect(parts.losses.plain).toBeCloseTo(whole.losses.plain!, 5);
      expect(parts.metrics.plain!.mae).toBeCloseTo(whole.metrics.plain!.mae!, 5);
      tf.dispose(data);
      dispose();
    });
  });

  it('takes the same steps from a record, an array, a generator function and a tf.data.Dataset', async () => {
    await expectConstantMemory(async () => {
      const results: number[][] = [];
      const batches = (): Batch[] => {
        const data = samples();
        const cut = [0, 2, 4].map((start) => ({
          x: tf.slice(data.x, [start, 0], [Math.min(2, 5 - start), 2]),
          y: tf.slice(data.y, [start, 0], [Math.min(2, 5 - start), 1]),
        }));
        tf.dispose(data);
        return cut;
      };
      const fixed = batches();
      const record = samples();
      const rows = tfd.array([0, 1, 2, 3, 4]).map((index) => {
        const i = index as number;
        return {
          x: tf.tidy(() => tf.reshape(tf.slice(record.x, [i, 0], [1, 2]), [2])),
          y: tf.tidy(() => tf.reshape(tf.slice(record.y, [i, 0], [1, 1]), [1])),
        };
      });
      const sources = [
        record,
        fixed,
        function* () {
          yield* batches();
        },
        async function* () {
          for (const batch of batches()) yield await Promise.resolve(batch);
        },
        rows.batch(2),
      ];
      for (const source of sources) {
        const { trainer, shared, dispose } = regression(unitSum());
        await trainer.fit(source as Batch[], { epochs: 2, batchSize: 2 });
        results.push([...shared.dataSync()]);
        dispose();
      }
      for (const result of results.slice(1)) expect(result).toEqual(results[0]);
      tf.dispose([fixed, record]);
    });
  });

  it('trains each objective on its own data, absent once its data ran out', async () => {
    await expectConstantMemory(async () => {
      const v = variableOf(() => tf.scalar(0));
      const seen: string[][] = [];
      const optimizer = tf.train.sgd(0.1);
      const trainer = new MultiObjectiveTrainer({
        objectives: (batch: { a?: { t: tf.Tensor }; b?: { t: tf.Tensor } }) => ({
          a: batch.a && tf.mean(tf.square(tf.sub(v, batch.a.t))),
          b: batch.b && tf.mean(tf.square(tf.sub(v, batch.b.t))),
        }),
        variables: [v],
        strategy: unitSum(),
        optimizer,
      });
      const a = { t: tf.tensor1d([1, 2, 3, 4]) };
      const b = [{ t: tf.tensor1d([5]) }];
      const data = perObjective({ a, b }, { batchSize: 2 });
      await trainer.fit(data, {
        epochs: 2,
        callbacks: [{ onBatchEnd: (_, { losses }) => void seen.push(Object.keys(losses)) }],
      });
      expect(seen).toEqual([['a', 'b'], ['a'], ['a', 'b'], ['a']]);
      expect(b[0]!.t.isDisposed).toBe(false);
      disposeOptimizer(optimizer);
      tf.dispose([a, b, v]);
    });
  });

  it('calls callbacks in order, with a report after each batch', async () => {
    const { trainer, dispose } = regression(unitSum());
    const data = samples();
    const calls: string[] = [];
    const reports: StepReport[] = [];
    await trainer.fit(data, {
      epochs: 1,
      batchSize: 3,
      callbacks: [
        {
          onTrainBegin: () => void calls.push('train'),
          onEpochBegin: (epoch) => void calls.push(`epoch ${epoch}`),
          onBatchBegin: (batch) => void calls.push(`batch ${batch}`),
          onBatchEnd: (batch, report) => {
            calls.push(`end ${batch}`);
            reports.push(report);
          },
          onEpochEnd: (epoch, logs) =>
            void calls.push(`epoch end ${epoch} ${Object.keys(logs).length}`),
          onTrainEnd: async ({ epoch }) => {
            await Promise.resolve();
            calls.push(`train end ${epoch.length}`);
          },
        },
      ],
    });
    expect(calls).toEqual([
      'train',
      'epoch 0',
      'batch 0',
      'end 0',
      'batch 1',
      'end 1',
      'epoch end 0 4',
      'train end 1',
    ]);
    expect(reports.map(({ step, backwardPasses }) => [step, backwardPasses])).toEqual([
      [0, 2],
      [1, 2],
    ]);
    expect(reports[0]?.groups[0]?.norms).toHaveLength(2);
    tf.dispose(data);
    dispose();
  });

  it('takes what callbacks measure into the logs of the epoch, and refuses a name twice', async () => {
    await expectConstantMemory(async () => {
      const data = samples();
      const { trainer, dispose } = regression(unitSum());
      const seen: (number | undefined)[] = [];
      const everySecond = {
        onMeasure: (epoch: number) =>
          epoch % 2 === 1 ? Promise.resolve({ further: epoch }) : null,
      };
      const { history } = await trainer.fit(data, {
        epochs: 3,
        batchSize: 2,
        callbacks: [
          // Callbacks see at the end of an epoch what any of them has measured.
          { onEpochEnd: (_epoch, logs) => void seen.push(logs['further']) },
          everySecond,
        ],
      });
      expect(seen).toEqual([undefined, 1, undefined]);
      expect(history['further']).toEqual([NaN, 1, NaN]);
      const twice = trainer.fit(data, {
        epochs: 1,
        batchSize: 2,
        callbacks: [{ onMeasure: () => ({ loss: 1 }) }],
      });
      await expect(twice).rejects.toMatchObject({ code: 'invalid-objective' });
      await expect(twice).rejects.toThrow('Found `loss` from the `onMeasure` of a callback');
      tf.dispose(data);
      dispose();
    });
  });

  it('stops after the step in progress when aborted or asked to, and returns what was measured', async () => {
    await expectConstantMemory(async () => {
      const data = samples();
      const controller = new AbortController();
      const first = regression(unitSum());
      let steps = 0;
      const aborted = await first.trainer.fit(data, {
        epochs: 10,
        batchSize: 2,
        signal: controller.signal,
        callbacks: [
          {
            onBatchEnd: () => {
              steps += 1;
              if (steps === 5) controller.abort();
            },
          },
        ],
      });
      expect([aborted.stopped, aborted.epoch, steps]).toEqual(['aborted', [0], 5]);
      const second = regression(unitSum());
      const requested = await second.trainer.fit(data, {
        epochs: 10,
        batchSize: 2,
        callbacks: [{ onEpochEnd: (epoch) => (epoch === 1 ? second.trainer.stop() : undefined) }],
      });
      expect([requested.stopped, requested.epoch]).toEqual(['requested', [0, 1]]);
      tf.dispose(data);
      first.dispose();
      second.dispose();
    });
  });

  it('gives timers a turn while it trains', async () => {
    const { trainer, dispose } = regression(unitSum());
    const data = samples();
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), 20);
    const { stopped } = await trainer.fit(data, {
      epochs: 1_000_000,
      yieldEvery: 5,
      signal: controller.signal,
    });
    clearTimeout(timer);
    expect(stopped).toBe('aborted');
    tf.dispose(data);
    dispose();
  });

  it('frees the batches of a generator when a step throws', async () => {
    await expectConstantMemory(async () => {
      const { trainer, dispose } = regression(unitSum());
      const broken = function* () {
        for (;;) yield { x: tf.tensor2d([[NaN, 1]]), y: tf.tensor2d([[1]]) };
      };
      await expect(trainer.fit(broken, { epochs: 1 })).rejects.toThrow(
        /loss of objective `plain`.*NaN/,
      );
      dispose();
    });
  });

  it('adds coupled weight decay to the integrated gradient', async () => {
    await expectConstantMemory(async () => {
      const plain = regression(fixedWeights());
      const decaying = regression(fixedWeights(), { weightDecay: 0.1 });
      const data = samples();
      await plain.trainer.trainOnBatch(data);
      await decaying.trainer.trainOnBatch(data);
      const [a, b] = [plain.shared.dataSync(), decaying.shared.dataSync()];
      // One step at rate 0.05: the difference is 0.05 · 0.1 · (0.5, −0.5).
      expect(a[0]! - b[0]!).toBeCloseTo(0.0025, 6);
      expect(a[1]! - b[1]!).toBeCloseTo(-0.0025, 6);
      tf.dispose(data);
      plain.dispose();
      decaying.dispose();
    });
  });

  it('observes every n-th step only', async () => {
    const { trainer, dispose } = regression(fixedWeights(), { observe: { every: 2 } });
    const data = samples();
    const observed: boolean[] = [];
    await trainer.fit(data, {
      epochs: 1,
      batchSize: 1,
      callbacks: [{ onBatchEnd: (_, report) => void observed.push(report.observed) }],
    });
    expect(observed).toEqual([true, false, true, false, true]);
    tf.dispose(data);
    dispose();
  });

  it('keeps optimizer slots in order when a variable misses a step', async () => {
    await expectConstantMemory(async () => {
      const a = variableOf(() => tf.scalar(0), 'slot/a');
      const b = variableOf(() => tf.scalar(0), 'slot/b');
      const optimizer = tf.train.momentum(1, 0.5);
      const trainer = new MultiObjectiveTrainer({
        objectives: (present: string[]) => ({
          a: present.includes('a') ? tf.mul(a, 1) : null,
          b: present.includes('b') ? tf.mul(b, 1) : null,
        }),
        variables: [a, b],
        strategy: unitSum(),
        optimizer,
      });
      trainer.build([['a', 'b']]);
      await trainer.trainOnBatch(['a', 'b']);
      await trainer.trainOnBatch(['b']);
      await trainer.trainOnBatch(['a', 'b']);
      // a: −1, then −1.5 (no step between: its momentum waits). b: −1, −1.5, −1.75.
      expect(a.dataSync()[0]).toBeCloseTo(-2.5, 6);
      expect(b.dataSync()[0]).toBeCloseTo(-4.25, 6);
      disposeOptimizer(optimizer);
      tf.dispose([a, b]);
    });
  });

  it('hands losses of the same batch after the step, and means after each epoch, to who asks', async () => {
    await expectConstantMemory(async () => {
      const calls: [string, string, number][] = [];
      const watching = (losses: 'now-and-after-step' | 'epoch-means'): GradientStrategy => ({
        ...fixedWeights(),
        needs: { gradients: 'none', losses },
        onStepEnd: (values, names, state) => {
          calls.push(['after', names.join(), values[0]!]);
          return state;
        },
        onEpochEnd: (values, names, state) => {
          calls.push(['epoch', names.join(), values[0]!]);
          return state;
        },
      });
      const data = samples();
      const first = regression(watching('now-and-after-step'));
      const report = await first.trainer.trainOnBatch(data);
      expect(calls).toHaveLength(1);
      expect(calls[0]![1]).toBe('plain,shifted');
      expect(calls[0]![2]).toBeLessThan(report.losses.plain!);
      calls.length = 0;
      const second = regression(watching('epoch-means'));
      const { history } = await second.trainer.fit(data, { epochs: 2, batchSize: 2 });
      expect(calls.map(([kind, , value]) => [kind, value])).toEqual(
        history.plain_loss!.map((value) => ['epoch', value]),
      );
      tf.dispose(data);
      first.dispose();
      second.dispose();
    });
  });
});

describe('what the trainer refuses', () => {
  it('tensors of different numbers of samples, naming both', async () => {
    const { trainer, dispose } = regression(unitSum());
    await expectConstantMemory(async () => {
      const data = { x: tf.zeros([3, 2]), y: tf.zeros([2, 1]) };
      const message = /3 in `x` and 2 in `y`/;
      await expect(trainer.trainOnBatch(data)).rejects.toThrow(message);
      await expect(trainer.fit(data, { epochs: 1 })).rejects.toThrow(message);
      tf.dispose(data);
    });
    dispose();
  });

  it('a second call while one is under way', async () => {
    const { trainer, dispose } = regression(unitSum());
    const data = samples();
    const first = trainer.trainOnBatch(data);
    const refused = Promise.allSettled([
      trainer.trainOnBatch(data),
      trainer.fit(data, { epochs: 1 }),
    ]);
    for (const outcome of await refused) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'interleaved-call' } });
    }
    await first;
    tf.dispose(data);
    dispose();
  });

  it('an iterator that is empty at its second epoch, saying why', async () => {
    const { trainer, dispose } = regression(unitSum());
    const once = (function* () {
      yield samples();
    })();
    await expect(trainer.fit(once, { epochs: 2 })).rejects.toThrow(
      /none in epoch 1; an iterator can be read only once/,
    );
    dispose();
  });

  it('options out of range', () => {
    expect(() => regression(unitSum(), { weightDecay: -1 })).toThrow(/`weightDecay`.*Found -1/);
    expect(() => regression(unitSum(), { observe: { every: 0 } })).toThrow(
      /`observe.every`.*Found 0/,
    );
    expect(() => regression({ name: 'x' } as unknown as GradientStrategy)).toThrow(/specification/);
    tf.disposeVariables();
  });

  it('leaves variables and state as they were when the optimizer throws', async () => {
    await expectConstantMemory(async () => {
      const v = variableOf(() => tf.scalar(1), 'opt/v');
      const trainer = new MultiObjectiveTrainer({
        objectives: () => ({ a: tf.square(v) }),
        variables: [v],
        strategy: unitSum(),
        optimizer: () => Promise.reject(new Error('no room')),
      });
      await expect(trainer.trainOnBatch(null)).rejects.toThrow('no room');
      expect(trainer.state).toBeUndefined();
      v.dispose();
    });
  });
});
