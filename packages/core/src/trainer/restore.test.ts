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
import { fusedAdam } from '../optimizers/fused-adam.ts';
import { fusedMomentum } from '../optimizers/fused-momentum.ts';
import type { AnyOptimizer, ResumableOptimizer } from '../optimizers/optimizer.ts';
import { unitSum } from '../testing/strategies.ts';
import { MultiObjectiveTrainer } from './multi-objective-trainer.ts';
import type { TrainerSnapshot } from './snapshot.ts';
import { copySnapshot } from './testing/copy-snapshot.ts';

beforeAll(async () => {
  await startTestBackend();
});

type Named = ReadonlyMap<string, tf.Variable>;

/** Keeps a tensor and a number, and writes before it looks, as nobody should. */
function carelessOptimizer(variables: Named): ResumableOptimizer & { dispose(): void } {
  const total: tf.Variable = tf.tidy(() => tf.variable(tf.scalar(0), false));
  let steps = 0;
  return {
    kind: 'careless',
    applyGradients: (gradients) => {
      steps += 1;
      for (const variable of variables.values()) {
        const gradient = gradients[variable.name]!;
        tf.tidy(() => {
          variable.assign(tf.sub(variable, tf.mul(gradient, 0.1)));
          total.assign(tf.add(total, tf.sum(gradient)));
        });
      }
    },
    snapshot: () => ({ values: { steps }, tensors: new Map([['total', total]]) }),
    restore: ({ values, tensors }) => {
      ({ steps } = values as { steps: number });
      total.assign(tensors.get('total')!);
      if (steps > 90) throw new Error('so many steps?');
    },
    dispose: () => total.dispose(),
  };
}

const optimizers: Record<string, (variables: Named) => AnyOptimizer> = {
  sgd: () => tf.train.sgd(0.1),
  adam: () => tf.train.adam(0.1),
  'fused momentum': (variables) => fusedMomentum(variables),
  'fused adam': (variables) => fusedAdam(variables),
  careless: carelessOptimizer,
};

class Run {
  readonly variables: Named;
  readonly optimizer: AnyOptimizer;
  readonly trainer: MultiObjectiveTrainer<null, 'a' | 'b'>;

  constructor(kind: string) {
    const [shared, head] = [
      variableOf(() => tf.tensor1d([1, -2])),
      variableOf(() => tf.tensor1d([0.5, 3])),
    ];
    this.variables = new Map([
      ['shared', shared],
      ['head', head],
    ]);
    this.optimizer = optimizers[kind]!(this.variables);
    this.trainer = new MultiObjectiveTrainer<null, 'a' | 'b'>({
      objectives: () => ({
        a: tf.sum(tf.square(shared)),
        b: tf.sum(tf.square(tf.mul(shared, head))),
      }),
      variables: this.variables,
      strategy: unitSum(),
      optimizer: this.optimizer,
      average: { decay: 0.9 },
    });
  }

  all(): string {
    return textOf(this.trainer.snapshot());
  }

  free(): void {
    this.trainer.dispose();
    if (this.optimizer instanceof tf.Optimizer) disposeOptimizer(this.optimizer);
    else (this.optimizer as { dispose?: () => void }).dispose?.();
    tf.dispose([...this.variables.values()]);
  }
}

function textOf({ state, tensors }: TrainerSnapshot): string {
  return JSON.stringify([state, Array.from(tensors, ([name, one]) => [name, [...one.dataSync()]])]);
}

describe.each(Object.keys(optimizers))('restore with %s', (kind) => {
  it("takes a trainer's own snapshot, and changes nothing", async () => {
    await expectConstantMemory(async () => {
      const run = new Run(kind);
      for (let step = 0; step < 3; step += 1) await run.trainer.trainOnBatch(null);
      const before = run.all();
      run.trainer.restore(run.trainer.snapshot());
      expect(run.all()).toBe(before);
      await run.trainer.trainOnBatch(null);
      expect(run.all()).not.toBe(before);
      run.free();
    });
  });

  it('refuses its own tensors once they have changed', async () => {
    await expectConstantMemory(async () => {
      const run = new Run(kind);
      await run.trainer.trainOnBatch(null);
      const early = run.trainer.snapshot();
      await run.trainer.trainOnBatch(null);
      const before = run.all();
      expect(() => run.trainer.restore(early)).toThrow('has changed since');
      expect(() => run.trainer.restore({ ...early, tensors: new Map(early.tensors) })).toThrow(
        'has changed since',
      );
      expect(run.all()).toBe(before);
      run.free();
    });
  });

  it('refuses with nothing changed, whatever of the snapshot is wrong', async () => {
    await expectConstantMemory(async () => {
      const run = new Run(kind);
      await run.trainer.trainOnBatch(null);
      const sound = copySnapshot(run.trainer.snapshot());
      await run.trainer.trainOnBatch(null);
      const before = run.all();
      const wrong = tf.tensor1d([1, 2, 3]);
      const bool = tf.tensor1d([1, 0], 'bool');
      const broken: TrainerSnapshot[] = [
        { ...sound, state: { ...sound.state, step: -1 } },
        { ...sound, state: { ...sound.state, frozen: ['nobody'] } },
        { ...sound, state: { ...sound.state, averagedSteps: 0.5 } },
        { ...sound, state: { ...sound.state, lossScale: { scale: 3, goodSteps: 0 } } },
        { ...sound, state: { ...sound.state, optimizer: { kind: 'another', values: null } } },
        { ...sound, state: { ...sound.state, memory: [{ variable: 'shared', objective: 'a' }] } },
        { ...sound, tensors: new Map([...sound.tensors, ['unknown', wrong]]) },
      ];
      for (const name of sound.tensors.keys()) {
        const without = new Map(sound.tensors);
        without.delete(name);
        // An optimizer of one's own says for itself what it lacks; a variable without velocity has not moved yet.
        if (kind !== 'careless' || !name.startsWith('optimizer/')) {
          if (!name.startsWith('optimizer/velocity')) broken.push({ ...sound, tensors: without });
          for (const other of [wrong, bool]) {
            broken.push({ ...sound, tensors: new Map(sound.tensors).set(name, other) });
          }
        }
        broken.push({
          ...sound,
          tensors: new Map(sound.tensors).set(`${name}/more`, wrong),
        });
      }
      if (kind === 'careless') {
        const values = { steps: 99 };
        broken.splice(0, Infinity, {
          ...sound,
          state: { ...sound.state, optimizer: { kind, values } },
        });
      } else if (kind !== 'sgd') {
        const { optimizer } = sound.state;
        broken.push({
          ...sound,
          state: { ...sound.state, optimizer: { ...optimizer, values: {} } },
        });
      }
      for (const snapshot of broken) {
        expect(() => run.trainer.restore(snapshot)).toThrow();
        expect(run.all()).toBe(before);
      }
      run.trainer.restore(sound);
      expect(run.all()).toBe(textOf(sound));
      tf.dispose([wrong, bool, ...sound.tensors.values()]);
      expect(() => run.trainer.restore(sound)).toThrow('disposed of');
      run.free();
    });
  });
});
