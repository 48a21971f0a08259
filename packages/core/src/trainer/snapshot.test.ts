import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import {
  disposeOptimizer,
  expectConstantMemory,
  startTestBackend,
  variableOf,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { unitSum } from '../testing/strategies.ts';
import type { GradientStrategy } from '../contract/strategy.ts';
import type { Json } from '../base/json.ts';
import type { SafePoint, TrainerCallback } from './callbacks.ts';
import { MultiObjectiveTrainer } from './multi-objective-trainer.ts';
import type { AnyOptimizer, ResumableOptimizer } from '../optimizers/optimizer.ts';
import { resumableBatches } from '../data/resumable-batches.ts';
import type { TrainerSnapshot } from './snapshot.ts';
import { copySnapshot } from './testing/copy-snapshot.ts';

beforeAll(async () => {
  await startTestBackend();
});

/** Keeps a memory, and counts steps in its state. */
const momentum: GradientStrategy = {
  specification: 1,
  name: 'momentum',
  needs: { gradients: 'gramian', memory: true },
  init: () => ({ steps: 0 }),
  integrate: ({ objectives }, state) => {
    const all = (value: number) => new Float64Array(objectives.length).fill(value);
    const { steps } = state as { steps: number };
    return {
      weights: all(1 / (1 + steps)),
      memoryUpdate: { weights: all(0.5), keep: all(0.3), add: all(1) },
      state: { steps: steps + 1 },
    };
  },
};

type Batch = { x: tf.Tensor2D; y: tf.Tensor2D };

function samples(): Batch {
  return {
    x: tf.tensor2d([1, 0, 0, 1, 1, 1, 2, 1, 1, 3], [5, 2]),
    y: tf.tensor2d([1, 2, 3, 4, 7], [5, 1]),
  };
}

/** A network with a moving statistic, whose variables bear other names each time. */
class Run {
  readonly shared: tf.Variable = variableOf(() => tf.tensor2d([0.5, -0.5], [2, 1]));
  readonly head: tf.Variable = variableOf(() => tf.scalar(0.1));
  readonly seen: tf.Variable = variableOf(() => tf.scalar(0));
  readonly trainer: MultiObjectiveTrainer<Batch, 'plain' | 'shifted'>;
  readonly optimizer: AnyOptimizer;

  constructor(optimizer: AnyOptimizer, strategy: GradientStrategy, names = ['shared', 'head']) {
    this.optimizer = optimizer;
    this.trainer = new MultiObjectiveTrainer({
      objectives: ({ x, y }: Batch, { training }) => {
        if (training) this.seen.assign(tf.add(tf.mul(this.seen, 0.9), tf.mean(x)));
        const prediction = tf.matMul(x, this.shared as unknown as tf.Tensor2D);
        return {
          plain: tf.mean(tf.square(tf.sub(prediction, y))),
          shifted: {
            loss: tf.mean(tf.square(tf.sub(tf.add(prediction, this.head), tf.add(y, 2)))),
            metrics: { hopeless: tf.scalar(NaN) },
          },
        };
      },
      variables: new Map([
        [names[0]!, this.shared],
        [names[1]!, this.head],
      ]),
      statistics: new Map([['seen', this.seen]]),
      strategy,
      optimizer,
    });
  }

  values(): number[] {
    return [this.shared, this.head, this.seen].flatMap((variable) => [...variable.dataSync()]);
  }

  dispose(): void {
    this.trainer.dispose();
    if (this.optimizer instanceof tf.Optimizer) disposeOptimizer(this.optimizer);
    tf.dispose([this.shared, this.head, this.seen]);
  }
}

function counter(): TrainerCallback & { calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    name: 'counter',
    onEpochBegin: (epoch) => void calls.push(`epoch ${epoch}`),
    onBatchEnd: (batch, { step }) => void calls.push(`${batch}:${step}`),
    onEpochEnd: () => void calls.push('end'),
    snapshot: () => [...calls],
    restore: (state) => void calls.push(...(state as string[])),
  };
}

/** Keeps a copy of the snapshot at each safe point. */
function keeper(): TrainerCallback & { readonly kept: TrainerSnapshot[] } {
  const kept: TrainerSnapshot[] = [];
  return {
    kept,
    onSafePoint: async ({ snapshot }: SafePoint) => void kept.push(copySnapshot(await snapshot())),
  };
}

/** Signs of gradients with a memory of their own: an optimizer of one's own. */
function ownOptimizer(): ResumableOptimizer {
  let steps = 0;
  return {
    kind: 'own',
    applyGradients: (gradients) => {
      steps += 1;
      const { registeredVariables } = tf.engine();
      for (const [name, gradient] of Object.entries(gradients)) {
        const variable = registeredVariables[name]!;
        tf.tidy(() => variable.assign(tf.sub(variable, tf.mul(gradient, 0.01 / steps))));
      }
    },
    snapshot: () => ({ values: { steps }, tensors: new Map() }),
    restore: ({ values }) => {
      steps = (values as { steps: number }).steps;
    },
  };
}

const optimizers: Record<string, () => AnyOptimizer> = {
  sgd: () => tf.train.sgd(0.05),
  momentum: () => tf.train.momentum(0.05, 0.9),
  nesterov: () => tf.train.momentum(0.05, 0.9, true),
  adam: () => tf.train.adam(0.05),
  adamax: () => tf.train.adamax(0.05),
  rmsprop: () => tf.train.rmsprop(0.05, 0.9, 0.5),
  'centred rmsprop': () => tf.train.rmsprop(0.05, 0.9, 0.5, 1e-7, true),
  adagrad: () => tf.train.adagrad(0.05),
  adadelta: () => tf.train.adadelta(0.05),
  own: ownOptimizer,
};

describe('a trainer that goes on from a snapshot', () => {
  it.each(Object.keys(optimizers))('ends where one ends that never stopped: %s', async (kind) => {
    await expectConstantMemory(async () => {
      const data = samples();
      const options = { epochs: 3, batchSize: 2, shuffle: 7, validationData: data } as const;
      const whole = new Run(optimizers[kind]!(), momentum);
      const [kept, count] = [keeper(), counter()];
      const expected = await whole.trainer.fit(data, { ...options, callbacks: [kept, count] });
      // After each of three steps and after each of three epochs.
      expect(kept.kept.length).toBe(12);
      // The first step's, two in the midst of an epoch, an epoch's, the last one's.
      for (const snapshot of [0, 4, 5, 7, 11].map((index) => kept.kept[index]!)) {
        const later = new Run(optimizers[kind]!(), momentum);
        // Whatever it did before does not matter.
        await later.trainer.trainOnBatch(data);
        const resume = later.trainer.restore(snapshot);
        const recount = counter();
        const history = await later.trainer.fit(data, { ...options, callbacks: [recount], resume });
        expect(later.values()).toEqual(whole.values());
        expect(history).toEqual(expected);
        expect(recount.calls).toEqual(count.calls);
        later.dispose();
      }
      for (const { tensors } of kept.kept) tf.dispose([...tensors.values()]);
      whole.dispose();
      tf.dispose(data);
    });
  });

  it('reads on where it stopped, in sources of every kind', async () => {
    await expectConstantMemory(async () => {
      const data = samples();
      const batch = (first: number): Batch =>
        tf.tidy(() => ({
          x: tf.slice(data.x, [first, 0], [1, 2]),
          y: tf.slice(data.y, [first, 0], [1, 1]),
        }));
      const list = [0, 1, 2, 3].map(batch);
      const begun: number[] = [];
      const sources = {
        array: list,
        'function of the epoch': function* () {
          for (let k = 0; k < 4; k += 1) yield batch(k);
        },
        'function of epoch and batch': resumableBatches(function* (_, first) {
          begun.push(first);
          for (let k = first; k < 4; k += 1) yield batch(k);
        }),
      };
      for (const [name, source] of Object.entries(sources)) {
        const whole = new Run(tf.train.sgd(0.05), unitSum());
        const kept = keeper();
        await whole.trainer.fit(source as Batch[], { epochs: 1, callbacks: [kept] });
        const later = new Run(tf.train.sgd(0.05), unitSum());
        const resume = later.trainer.restore(kept.kept[2]!);
        await later.trainer.fit(source as Batch[], { epochs: 1, resume });
        expect(later.values(), name).toEqual(whole.values());
        for (const { tensors } of kept.kept) tf.dispose([...tensors.values()]);
        const short = { ...resume!, batch: 9 };
        if (name === 'array') {
          await expect(
            later.trainer.fit(source as Batch[], { epochs: 1, resume: short }),
          ).rejects.toThrow('go on after 9 batches of epoch 0. Found 4');
        }
        whole.dispose();
        later.dispose();
      }
      expect(begun).toEqual([0, 3]);
      tf.dispose([list, data]);
    });
  });

  it('refuses what belongs to another, with all that differs, and stays as it was', async () => {
    await expectConstantMemory(async () => {
      const data = samples();
      const run = new Run(tf.train.adam(0.05), momentum);
      await run.trainer.trainOnBatch(data);
      const snapshot = copySnapshot(run.trainer.snapshot());
      const other = new Run(tf.train.momentum(0.05, 0.9), unitSum(), ['shared', 'renamed']);
      const before = other.values();
      expect(() => other.trainer.restore(snapshot)).toThrow(
        [
          'The snapshot does not belong to this trainer:',
          '  strategy differs: found momentum, expected unit-sum',
          `  list of variables differs: found \`head\` in the state, expected only those given`,
          `  list of variables differs: found no \`renamed\`, expected every variable given`,
          '  weight `renamed` is missing',
          '  weight `head` is not known here',
          '  optimizer Adam, expected Momentum',
        ].join('\n'),
      );
      expect(other.values()).toEqual(before);
      const reshaped = new Map(snapshot.tensors);
      const wrong = tf.zeros([3]);
      reshaped.set('weights/shared', wrong).set('optimizer/accBeta1', wrong);
      reshaped.delete('optimizer/accumulatedFirstMoment/head');
      const message =
        /shared` is float32 \[3\], expected float32 \[2, 1\]\n.*accBeta1` is float32 \[3\], expected float32 \[\]\n.*accumulatedFirstMoment\/head` is missing/;
      expect(() => run.trainer.restore({ ...snapshot, tensors: reshaped })).toThrow(message);
      tf.dispose([wrong, ...snapshot.tensors.values()]);
      run.dispose();
      other.dispose();
      tf.dispose(data);
    });
  });

  it('refuses to be taken during a step, and of an optimizer that keeps its memory to itself', async () => {
    await expectConstantMemory(async () => {
      const data = samples();
      const run: Run = new Run(() => void run.trainer.snapshot(), unitSum());
      await expect(run.trainer.trainOnBatch(data)).rejects.toThrow(
        'while `trainOnBatch` had not ended',
      );
      class Secretive extends tf.SGDOptimizer {
        static override get className(): string {
          return 'Secretive';
        }
      }
      const secretive = new Run(new Secretive(0.1), unitSum());
      expect(() => secretive.trainer.snapshot()).toThrow('Optimizer `Secretive` cannot be kept');
      run.dispose();
      secretive.dispose();
      tf.dispose(data);
    });
  });

  it('asks for the callbacks with which it began', async () => {
    await expectConstantMemory(async () => {
      const data = samples();
      const run = new Run(tf.train.sgd(0.05), unitSum());
      const kept = keeper();
      const options = { epochs: 1, batchSize: 3 } as const;
      await run.trainer.fit(data, { ...options, callbacks: [kept, counter()] });
      const resume = kept.kept[0]!.state.fit;
      const renamed = { ...counter(), name: 'other' };
      await expect(
        run.trainer.fit(data, { ...options, resume, callbacks: [renamed] }),
      ).rejects.toThrow('Found no callback `counter` here, nothing of callback `other` there.');
      const half = { snapshot: (): Json => null };
      await expect(run.trainer.fit(data, { ...options, callbacks: [kept, half] })).rejects.toThrow(
        'should have a name',
      );
      for (const { tensors } of kept.kept) tf.dispose([...tensors.values()]);
      run.dispose();
      tf.dispose(data);
    });
  });
});
