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
import { MultigradError } from '../base/errors.ts';
import { integrateGradients } from '../step/integrate-gradients.ts';
import { unitSum } from '../testing/strategies.ts';
import type { TrainerCallback } from './callbacks.ts';
import { MultiObjectiveTrainer } from './multi-objective-trainer.ts';
import type { TrainerSnapshot } from './snapshot.ts';
import { copySnapshot } from './testing/copy-snapshot.ts';

// Every pair of a trainer's methods: while one goes on the other begins. It is refused with nothing changed, or right.

beforeAll(async () => {
  await startTestBackend();
});

const batches = [1, 2, 3, 4];

/** A trainer with averages and Adam, and what it takes to call each of its methods. */
class Run {
  /** Called in the midst of each forward pass. */
  within: () => void = () => undefined;
  readonly weights: tf.Variable = variableOf(() => tf.tensor1d([0.5, -0.5]));
  readonly head: tf.Variable = variableOf(() => tf.scalar(0.25));
  readonly optimizer: tf.AdamOptimizer = tf.train.adam(0.05);
  readonly trainer: MultiObjectiveTrainer<number, 'a' | 'b'> = new MultiObjectiveTrainer<
    number,
    'a' | 'b'
  >({
    objectives: (batch: number) => {
      this.within();
      return {
        a: tf.mean(tf.square(tf.sub(this.weights, batch))),
        b: tf.mean(tf.square(tf.add(tf.mul(this.weights, this.head), batch))),
      };
    },
    variables: new Map([
      ['weights', this.weights],
      ['head', this.head],
    ]),
    strategy: unitSum(),
    optimizer: this.optimizer,
    average: { decay: 0.5 },
  });
  kept: TrainerSnapshot | null = null;

  /** After a step, with a snapshot of the time before it, so that there is something to restore and to average. */
  async begin(): Promise<this> {
    await this.trainer.trainOnBatch(7);
    this.kept = copySnapshot(this.trainer.snapshot());
    await this.trainer.trainOnBatch(5);
    return this;
  }

  readonly calls: Readonly<Record<string, (callbacks?: TrainerCallback[]) => unknown>> = {
    fit: (callbacks = []) => this.trainer.fit(batches, { epochs: 2, callbacks }),
    trainOnBatch: () => this.trainer.trainOnBatch(2),
    evaluate: () => this.trainer.evaluate(batches),
    'evaluate with averages': () => this.trainer.evaluate(batches, { weights: 'average' }),
    build: () => this.trainer.build([1]),
    freeze: () => this.trainer.freeze([]),
    restore: () => this.trainer.restore(this.kept!),
    snapshot: () => copied(this.trainer.snapshot()),
    gatherSnapshot: async () => copied(await this.trainer.gatherSnapshot()),
    dispose: () => this.trainer.dispose(),
    integrateGradients: async () => {
      const { gradients, losses } = await integrateGradients(
        unitSum(),
        () => ({ a: tf.sum(tf.square(this.weights)) }),
        [this.weights],
      );
      tf.dispose(gradients);
      return losses;
    },
  };

  /** Everything that training carries, as text. */
  all(): string {
    return copied(this.trainer.snapshot());
  }

  free(): void {
    this.within = () => undefined;
    this.trainer.dispose();
    disposeOptimizer(this.optimizer);
    tf.dispose([this.weights, this.head, ...(this.kept?.tensors.values() ?? [])]);
  }
}

/** A snapshot as text. */
function copied({ state, tensors }: TrainerSnapshot): string {
  const numbers = Array.from(tensors, ([name, value]) => [name, [...value.dataSync()]]);
  return JSON.stringify({ state, numbers });
}

/** How a call ended: refused, or with a value. */
type Ending = { readonly refused: string } | { readonly value: unknown };

async function ending(call: () => unknown): Promise<Ending> {
  try {
    return { value: await call() };
  } catch (error) {
    if (!MultigradError.isInstance(error) || error.code !== 'interleaved-call') throw error;
    return { refused: error.message };
  }
}

const names = Object.keys(new Run().calls);
const lasting = [
  'fit',
  'trainOnBatch',
  'evaluate',
  'evaluate with averages',
  'gatherSnapshot',
  'integrateGradients',
];
const pairs = lasting.flatMap((first) => names.map((second) => [first, second] as const));

/** What is left of the first call alone: its value and the state after it. */
async function alone(name: string): Promise<readonly [unknown, string]> {
  const run = await new Run().begin();
  const value = await run.calls[name]!();
  const after = run.all();
  run.free();
  return [value, after];
}

describe('a call that begins while another has not ended', () => {
  it.each(pairs)('%s, then %s at once: refused, with nothing changed', async (first, second) => {
    await expectConstantMemory(async () => {
      const [value, after] = await alone(first);
      const run = await new Run().begin();
      const going = run.calls[first]!() as Promise<unknown>;
      // Those that are over at once have ended, those that have not are refused.
      const other = await ending(() => run.calls[second]!());
      expect(other).toMatchObject({ refused: expect.stringContaining('had not ended') as string });
      expect(await going).toEqual(value);
      expect(run.all()).toBe(after);
      run.free();
    });
  });

  const recording = ['fit', 'trainOnBatch', 'evaluate', 'evaluate with averages', 'build'];
  const inForward = recording.flatMap((first) => names.map((second) => [first, second] as const));

  it.each(inForward)(
    '%s, then %s in the midst of a forward pass: refused',
    async (first, second) => {
      await expectConstantMemory(async () => {
        const [value, after] = await alone(first);
        const run = await new Run().begin();
        const others: Promise<Ending>[] = [];
        run.within = () => void others.push(ending(() => run.calls[second]!()));
        expect(await run.calls[first]!()).toEqual(value);
        run.within = () => undefined;
        for (const other of await Promise.all(others)) expect(other).toHaveProperty('refused');
        expect(others.length).toBeGreaterThan(0);
        expect(run.all()).toBe(after);
        run.free();
      });
    },
  );

  it('is right in a callback of fit, where it is allowed, also if nobody awaits it', async () => {
    const asking = [
      'evaluate',
      'evaluate with averages',
      'snapshot',
      'gatherSnapshot',
      'integrateGradients',
    ];
    await expectConstantMemory(async () => {
      const [value, after] = await alone('fit');
      for (const second of names) {
        if (['build', 'freeze', 'restore'].includes(second)) continue;
        const endings = { awaited: [] as Ending[], left: [] as Promise<Ending>[] };
        for (const awaited of [true, false]) {
          const run = await new Run().begin();
          const onBatchEnd = async (): Promise<void> => {
            const other = ending(() => run.calls[second]!());
            if (awaited) endings.awaited.push(await other);
            else endings.left.push(other);
          };
          const history = await run.calls['fit']!([{ onBatchEnd }]);
          expect(history, second).toEqual(value);
          expect(run.all(), second).toBe(after);
          run.free();
        }
        const left = await Promise.all(endings.left);
        expect(left, second).toEqual(endings.awaited);
        for (const one of left) {
          expect(one, second).toHaveProperty(asking.includes(second) ? 'value' : 'refused');
        }
      }
    });
  });

  it('changes weights and groups in a callback of fit as between two steps', async () => {
    await expectConstantMemory(async () => {
      for (const call of ['build', 'freeze', 'restore'] as const) {
        const run = await new Run().begin();
        let calls = 0;
        const onEpochEnd = (epoch: number): void => {
          if (epoch > 0) return;
          calls += 1;
          run.calls[call]!();
        };
        await run.calls['fit']!([{ onEpochEnd }]);
        const other = await new Run().begin();
        await other.trainer.fit(batches, { epochs: 1 });
        other.calls[call]!();
        await other.trainer.fit(batches, { epochs: 1 });
        expect(calls).toBe(1);
        expect(run.all(), call).toBe(other.all());
        run.free();
        other.free();
      }
    });
  });

  it('belongs to no other trainer of the same variables', async () => {
    await expectConstantMemory(async () => {
      const run = await new Run().begin();
      const other = new MultiObjectiveTrainer<null, 'a'>({
        objectives: () => ({ a: tf.sum(tf.square(run.weights)) }),
        variables: [run.weights],
        strategy: unitSum(),
        optimizer: () => undefined,
      });
      const going = run.trainer.evaluate(batches, { weights: 'average' });
      await expect(other.trainOnBatch(null)).rejects.toThrow('`trainOnBatch` began on variable');
      expect(() => other.snapshot()).toThrow('while `evaluate` had not ended');
      await going;
      await other.trainOnBatch(null);
      run.free();
      other.dispose();
    });
  });
});
