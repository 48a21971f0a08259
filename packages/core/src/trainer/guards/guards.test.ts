import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { disposeOptimizer, expectConstantMemory, variableOf } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { fixedWeights, unitSum } from '../../testing/strategies.ts';
import type { GradientStrategy } from '../../contract/strategy.ts';
import type { TrainerCallback } from '../callbacks.ts';
import { MultiObjectiveTrainer } from '../multi-objective-trainer.ts';
import type { StepReport } from '../step-report.ts';
import { copySnapshot } from '../testing/copy-snapshot.ts';
import { divergenceGuard } from './divergence-guard.ts';
import { earlyStopping } from './early-stopping.ts';
import { identicalObjectives } from './identical-objectives.ts';
import { memoryAlarm } from './memory-alarm.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A report of losses alone. */
function losses(step: number, values: Record<string, number>): StepReport {
  return { step, losses: values, metrics: {}, groups: [], backwardPasses: 1, observed: false };
}

describe('a loss that is not finite at step 50', () => {
  type Batch = { x: tf.Tensor2D };

  /** Which of `near` and `far` goes wrong, and whether in its loss or in its gradient alone. */
  function run(
    strategy: GradientStrategy,
    wrong: 'loss' | 'gradient',
    onNonFinite: 'throw' | 'skip',
  ) {
    const kernel = variableOf(() => tf.tensor2d([0.5, -0.5], [2, 1]));
    const head = variableOf(() => tf.scalar(0.1));
    const mean = variableOf(() => tf.scalar(0));
    const optimizer = tf.train.momentum(0.01, 0.9);
    // Finite, of an infinite slope at 0.
    const root = tf.customGrad((x) => ({
      value: tf.mul(x as tf.Tensor, 0),
      gradFunc: (dy: tf.Tensor) => tf.mul(dy, Infinity),
    }));
    const trainer = new MultiObjectiveTrainer<Batch, 'near' | 'far'>({
      objectives: ({ x }, { step }) => {
        mean.assign(tf.add(mean, tf.mean(x)));
        const y = tf.matMul(x, kernel as unknown as tf.Tensor2D);
        const far = tf.mean(tf.square(tf.sub(tf.add(y, head), 3)));
        return {
          near: tf.mean(tf.square(y)),
          far: step !== 50 ? far : wrong === 'loss' ? tf.mul(far, NaN) : tf.add(far, root(head)),
        };
      },
      variables: new Map<string, tf.Variable>([
        ['kernel', kernel as unknown as tf.Variable],
        ['head', head],
      ]),
      statistics: new Map([['mean', mean]]),
      strategy,
      optimizer,
      onNonFinite,
    });
    const data = { x: tf.tensor2d([1, 0, 0, 1, 1, 1, 2, 1], [4, 2]) };
    return {
      trainer,
      fit: () => trainer.fit(data, { epochs: 30, batchSize: 2 }),
      values: () => [kernel, head, mean].flatMap((variable) => [...variable.dataSync()]),
      headName: head.name,
      dispose: () => {
        trainer.dispose();
        disposeOptimizer(optimizer);
        tf.dispose([kernel, head, mean, data]);
      },
    };
  }

  it.each([
    ['a strategy that sees gradients', unitSum],
    ['a strategy that sees none', fixedWeights],
  ])('is an error that says whose and where: %s', async (_, strategy) => {
    await expectConstantMemory(async () => {
      const loss = run(strategy(), 'loss', 'throw');
      await expect(loss.fit()).rejects.toThrow(
        'The loss of objective `far` should be finite. Found NaN at step 50.',
      );
      const gradient = run(strategy(), 'gradient', 'throw');
      await expect(gradient.fit()).rejects.toThrow(
        `Objective \`far\` has a gradient that is not finite for \`head\` (group \`far\`) at step 50.`,
      );
      // Statistics too are as they were before the step: 50 batches were seen.
      expect(gradient.values()[3]).toBe(run50Mean);
      expect(gradient.trainer.state!.step).toBe(50);
      loss.dispose();
      gradient.dispose();
    });
  });
  // The means of the two batches are .5 and 1.25.
  const run50Mean = 25 * 1.75;

  it.each(['loss', 'gradient'] as const)(
    'is left out and counted with `skip`: %s',
    async (wrong) => {
      await expectConstantMemory(async () => {
        const one = run(unitSum(), wrong, 'skip');
        const { history } = await one.fit();
        expect(history['skipped']).toEqual(
          Array.from({ length: 30 }, (_, epoch) => (epoch === 25 ? 1 : 0)),
        );
        expect(history['far_loss']!.every(Number.isFinite)).toBe(true);
        expect(one.values().every(Number.isFinite)).toBe(true);
        expect(one.values()[3]).toBe(30 * 1.75 - 0.5);
        expect(one.trainer.state!.step).toBe(60);
        one.dispose();
      });
    },
  );
});

describe('masked labels', () => {
  it('give exactly the gradients of the samples that have labels', async () => {
    await expectConstantMemory(async () => {
      const gradientsOf = async (
        objective: (kernel: tf.Tensor2D) => tf.Tensor,
      ): Promise<Float32Array> => {
        const kernel = variableOf(() => tf.tensor2d([0.5, -0.25, 1, 2], [2, 2]));
        let found = new Float32Array();
        const trainer = new MultiObjectiveTrainer<null, string>({
          objectives: () => ({
            masked: objective(kernel as unknown as tf.Tensor2D),
            other: tf.sum(tf.square(kernel)),
          }),
          variables: [kernel],
          strategy: fixedWeights({ masked: 1, other: 0 }),
          optimizer: (gradients) => {
            found = gradients[kernel.name]!.dataSync<'float32'>().slice();
          },
        });
        await trainer.trainOnBatch(null);
        kernel.dispose();
        return found;
      };
      const x = tf.tensor2d([1, 0.5, 0.3, 1, 1.7, 1, 2, -1], [4, 2]);
      const y = tf.tensor2d([1, 2, 0, 0, 3, 1, 0, 0], [4, 2]);
      const mask = tf.tensor1d([1, 0, 1, 0]);
      const errors = (kernel: tf.Tensor2D, inputs: tf.Tensor2D, labels: tf.Tensor2D): tf.Tensor =>
        tf.sum(tf.square(tf.sub(tf.tanh(tf.matMul(inputs, kernel)), labels)), 1);
      const masked = await gradientsOf((kernel) =>
        tf.div(tf.sum(tf.mul(errors(kernel, x, y), mask)), tf.sum(mask)),
      );
      const rows = tf.tensor1d([0, 2], 'int32');
      const [fewX, fewY] = [tf.gather(x, rows), tf.gather(y, rows)];
      const reduced = await gradientsOf((kernel) => tf.mean(errors(kernel, fewX, fewY)));
      expect(masked).toEqual(reduced);
      tf.dispose([x, y, mask, rows, fewX, fewY]);
    });
  });

  it('an objective that no sample has a label of leaves the step as if it were not there', async () => {
    await expectConstantMemory(async () => {
      const train = async (names: readonly string[], absent: string | null): Promise<number[]> => {
        const kernel = variableOf(() => tf.tensor1d([1, -2]));
        const optimizer = tf.train.sgd(0.1);
        const all: Record<string, () => tf.Tensor> = {
          a: () => tf.sum(tf.square(kernel)),
          b: () => tf.sum(tf.square(tf.sub(kernel, 3))),
          c: () => tf.sum(tf.mul(kernel, tf.tensor1d([5, 1]))),
        };
        const trainer = new MultiObjectiveTrainer<null, string>({
          objectives: () =>
            Object.fromEntries(names.map((name) => [name, name === absent ? null : all[name]!()])),
          variables: [kernel],
          strategy: unitSum(),
          optimizer,
        });
        await trainer.trainOnBatch(null);
        const values = [...kernel.dataSync()];
        disposeOptimizer(optimizer);
        kernel.dispose();
        return values;
      };
      expect(await train(['a', 'b', 'c'], 'b')).toEqual(await train(['a', 'c'], null));
    });
  });
});

describe('earlyStopping', () => {
  it('ends training, also one that goes on from a snapshot', async () => {
    await expectConstantMemory(async () => {
      const variable = variableOf(() => tf.scalar(1));
      const trainer = new MultiObjectiveTrainer<null, string>({
        objectives: () => ({ a: tf.square(variable), b: tf.mul(variable, 2) }),
        variables: [variable],
        strategy: fixedWeights(),
        optimizer: () => undefined,
      });
      const kept: ReturnType<typeof copySnapshot>[] = [];
      const keep: TrainerCallback = {
        onSafePoint: async ({ logs, snapshot }) => {
          if (logs !== null) kept.push(copySnapshot(await snapshot()));
        },
      };
      const fit = async (resume?: (typeof kept)[0]['state']['fit']) =>
        trainer.fit([null], {
          epochs: 20,
          resume,
          callbacks: [earlyStopping({ monitor: 'loss', patience: 3 }), keep],
        });
      const { epoch, stopped } = await fit();
      // Nothing becomes better after the first epoch.
      expect(epoch.length).toBe(4);
      expect(stopped).toBe('requested');
      const again = await fit(kept[1]!.state.fit);
      expect(again.epoch).toEqual(epoch);
      for (const { tensors } of kept) tf.dispose([...tensors.values()]);
      variable.dispose();
    });
  });

  it('stays over when a run is resumed, whoever made the checkpoint first', async () => {
    await expectConstantMemory(async () => {
      const variable = variableOf(() => tf.scalar(1));
      let steps = 0;
      const trainer = new MultiObjectiveTrainer<null, string>({
        objectives: () => ({ a: tf.square(variable), b: tf.mul(variable, 2) }),
        variables: [variable],
        strategy: fixedWeights(),
        optimizer: () => void (steps += 1),
      });
      type Kept = ReturnType<typeof copySnapshot>;
      const enders: Record<string, () => TrainerCallback> = {
        'early stopping': () => earlyStopping({ monitor: 'loss', patience: 3 }),
        // What it decides is not among what it remembers.
        'one of the user': () => ({
          onSafePoint: ({ epoch, logs, stop }) => {
            if (logs !== null && epoch === 3) stop();
          },
        }),
      };
      for (const [name, ender] of Object.entries(enders)) {
        for (const keeperFirst of [true, false]) {
          const fit = async (resume?: Kept['state']['fit']) => {
            const kept: Kept[] = [];
            const keeper: TrainerCallback = {
              onSafePoint: async ({ snapshot }) => void kept.push(copySnapshot(await snapshot())),
            };
            const callbacks = keeperFirst ? [keeper, ender()] : [ender(), keeper];
            steps = 0;
            const history = await trainer.fit([null, null], { epochs: 20, resume, callbacks });
            for (const { tensors } of kept) tf.dispose([...tensors.values()]);
            return { kept, history, steps };
          };
          const whole = await fit();
          expect(whole.history.epoch, name).toEqual([0, 1, 2, 3]);
          // From the last one, and from all others of early stopping too.
          for (const [point, { state }] of whole.kept.entries()) {
            if (name !== 'early stopping' && point < whole.kept.length - 1) continue;
            const again = await fit(state.fit);
            expect(again.history, name).toEqual(whole.history);
            expect(again.steps, name).toBe(whole.steps - state.fit!.epoch * 2 - state.fit!.batch);
          }
        }
      }
      variable.dispose();
    });
  });

  it('waits for the sign it was told, and says which logs there are', async () => {
    const callback = earlyStopping({
      monitor: 'accuracy',
      mode: 'max',
      patience: 2,
      minDelta: 0.1,
    });
    let stops = 0;
    for (const accuracy of [0.1, 0.5, 0.55, 0.58, 0.9]) {
      await callback.onEpochEnd!(0, { accuracy });
      await callback.onSafePoint!({
        step: 0,
        epoch: 0,
        logs: { accuracy },
        stop: () => (stops += 1),
        snapshot: () => expect.unreachable(),
      });
    }
    expect(stops).toBe(1);
    expect(() => callback.onEpochEnd!(0, { loss: 1 })).toThrow('one of loss. Found `accuracy`.');
    expect(() => earlyStopping({ patience: -1 })).toThrow('`patience`');
  });
});

describe('divergenceGuard', () => {
  it('ends training whose loss has grown tenfold, in whatever unit', async () => {
    for (const unit of [1, 1000]) {
      const guard = divergenceGuard({ window: 5 });
      const feed = (step: number, value: number) =>
        guard.onBatchEnd!(0, losses(step, { steady: unit, wild: value * unit }));
      for (let step = 0; step < 30; step += 1) await feed(step, 2 + Math.sin(step));
      const state = guard.snapshot!();
      const diverge = async (callback: TrainerCallback): Promise<void> => {
        for (let step = 30; step < 40; step += 1) {
          await callback.onBatchEnd!(0, losses(step, { steady: unit, wild: 60 * unit }));
        }
      };
      const message = /objective `wild` should stay below 10 times .* at step 31/;
      await expect(diverge(guard)).rejects.toMatchObject({ code: 'diverged' });
      const later = divergenceGuard({ window: 5 });
      later.restore!(JSON.parse(JSON.stringify(state)) as typeof state);
      await expect(diverge(later)).rejects.toThrow(message);
    }
    expect(() => divergenceGuard({ factor: 1 })).toThrow('`factor`');
  });
});

describe('memoryAlarm', () => {
  it('warns once of tensors that somebody keeps, and not of others', async () => {
    await expectConstantMemory(async () => {
      const variable = variableOf(() => tf.scalar(1));
      const leaked: tf.Tensor[] = [];
      const fit = async (leaks: boolean): Promise<string[]> => {
        const messages: string[] = [];
        const trainer = new MultiObjectiveTrainer<null, string>({
          objectives: () => ({ a: tf.square(variable), b: tf.mul(variable, 2) }),
          variables: [variable],
          strategy: fixedWeights(),
          optimizer: () => {
            if (leaks) leaked.push(tf.scalar(1));
          },
        });
        const callbacks = [
          memoryAlarm({ everySteps: 2, onGrowth: (one) => void messages.push(one) }),
        ];
        await trainer.fit(
          Array.from({ length: 30 }, () => null),
          { epochs: 1, callbacks },
        );
        return messages;
      };
      expect(await fit(false)).toEqual([]);
      expect(await fit(true)).toEqual([expect.stringContaining('1.00 more each step')]);
      tf.dispose([variable, leaked]);
    });
  });
});

describe('identicalObjectives', () => {
  it('warns of two that are always the same', async () => {
    const messages: string[] = [];
    const guard = identicalObjectives({ steps: 4, onIdentical: (one) => void messages.push(one) });
    for (let step = 0; step < 8; step += 1) {
      await guard.onBatchEnd!(0, losses(step, { a: step, b: step === 2 ? 0 : step, c: step }));
    }
    expect(messages).toEqual([
      expect.stringContaining('`a` and `c` had the same loss at each of 4'),
    ]);
  });
});
