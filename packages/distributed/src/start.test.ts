import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { MultigradError } from '@multigrad/core/strategy';
import type { TrainerSnapshot } from '@multigrad/core';
import { moco } from '@multigrad/strategy-moco';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { expectConstantMemory, startTestBackend } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { assertAlike } from './assert-alike.ts';
import { broadcastSnapshot } from './broadcast-snapshot.ts';
import { gradientExchange } from './exchange.ts';
import { runRanks } from './local/local-group.ts';
import { shardBatches } from './shard-batches.ts';
import {
  distance,
  parameters,
  smallBatch,
  type SmallRun,
  smallTrainer,
} from './testing/small-network.ts';

beforeAll(async () => {
  await startTestBackend();
});

describe('assertAlike', () => {
  it('lists what differs, on every rank', async () => {
    const messages = await runRanks(3, async (communicator) => {
      const { rank } = communicator;
      await assertAlike(communicator, { code: 'a', options: { epochs: 1, names: ['x'] } });
      return assertAlike(communicator, {
        code: rank === 2 ? 'b' : 'a',
        options: { epochs: 1 + rank, ...(rank === 0 ? { seed: 3 } : {}) },
      }).catch((error: unknown) => (MultigradError.isInstance(error) ? error.message : null));
    });
    expect(messages).toEqual(
      new Array(3).fill(
        'All ranks should be started with the same code, options and data. Found\n' +
          '  options.epochs: 1 on rank 0, 2 on rank 1\n' +
          '  options.seed: 3 on rank 0, none on rank 1\n' +
          '  code: "a" on rank 0, "b" on rank 2\n' +
          '  options.epochs: 1 on rank 0, 3 on rank 2\n' +
          '  options.seed: 3 on rank 0, none on rank 2',
      ),
    );
  });
});

describe('snapshots of several ranks', () => {
  const batches = (from: number, to: number) =>
    function* () {
      for (let step = from; step < to; step += 1) yield smallBatch(step);
    };
  const copy = ({ state, tensors }: TrainerSnapshot): TrainerSnapshot => ({
    state: JSON.parse(JSON.stringify(state)) as TrainerSnapshot['state'],
    tensors: new Map(Array.from(tensors, ([name, value]) => [name, value.clone()])),
  });

  /** Trains from a snapshot, or the start. @returns the weights, and a snapshot of the end */
  const train = async (
    ranks: number,
    run: SmallRun,
    [from, to]: readonly [number, number],
    start: TrainerSnapshot | null,
  ): Promise<{ weights: Float32Array; end: TrainerSnapshot }> => {
    const ends = await runRanks(ranks, async (communicator) => {
      const { network, trainer, dispose } = smallTrainer(run, gradientExchange(communicator));
      const { rank } = communicator;
      await broadcastSnapshot(communicator, rank === 0 ? start : null, trainer);
      await trainer.fit(shardBatches(batches(from, to), communicator), { epochs: 1 });
      const whole = await trainer.gatherSnapshot();
      const end = rank === 0 ? copy(whole) : null;
      const weights = network.weights();
      expect(() => trainer.snapshot()).toThrow(/gatherSnapshot/);
      dispose();
      return { weights, end };
    });
    return { weights: ends[0]!.weights, end: ends[0]!.end! };
  };

  it('have whole slots on rank 0 alone, and nowhere once the next step has begun', async () => {
    await expectConstantMemory(async () => {
      const bytesOf = (tensors: Iterable<tf.Tensor>): number =>
        Array.from(tensors, ({ size }) => 4 * size).reduce((sum, bytes) => sum + bytes, 0);
      let whole = 0;
      await runRanks(3, async (communicator) => {
        const run: SmallRun = { strategy: () => pcgrad({ seed: 1 }), optimizer: 'adam' };
        const { trainer, dispose } = smallTrainer(run, gradientExchange(communicator));
        const fit = async (): Promise<void> => {
          await trainer.fit(shardBatches(batches(0, 1), communicator), { epochs: 1 });
          await communicator.barrier();
        };
        await fit();
        const before = tf.memory();
        await communicator.barrier();
        const { tensors } = await trainer.gatherSnapshot();
        const ofVariables = /^optimizer\/.+\//;
        const slots = [...tensors].filter(([name]) => ofVariables.test(name));
        if (communicator.rank === 0) whole = bytesOf(slots.map(([, slot]) => slot));
        else expect(slots).toEqual([]);
        await communicator.barrier();
        // The ranks of this process share its memory: the slots are in it once.
        expect(whole).toBe(2 * 4 * (parameters.shared + parameters.heads));
        expect(tf.memory().numBytes - before.numBytes).toBe(whole);
        await communicator.barrier();
        await fit();
        expect(tf.memory().numTensors).toBe(before.numTensors);
        expect(slots.every(([, { isDisposed }]) => isDisposed)).toBe(true);
        await communicator.barrier();
        const everywhere = await trainer.gatherSnapshot({ everywhere: true });
        await communicator.barrier();
        const all = [...everywhere.tensors].filter(([name]) => ofVariables.test(name));
        expect(bytesOf(all.map(([, slot]) => slot))).toBe(whole);
        expect(tf.memory().numBytes - before.numBytes).toBe(3 * whole);
        await communicator.barrier();
        dispose();
      });
    });
  });

  it.each<[string, SmallRun]>([
    ['momentum', { strategy: () => pcgrad({ seed: 1 }) }],
    ['Adam', { strategy: () => pcgrad({ seed: 1 }), optimizer: 'adam' }],
    [
      'fused Adam, averages, a memory of gradients',
      {
        strategy: () => moco() as never,
        optimizer: 'fused-adam',
        options: { average: { decay: 0.5 } },
      },
    ],
  ])('go on with any number of ranks: %s', async (_, run) => {
    await expectConstantMemory(async () => {
      const through = await train(2, run, [0, 4], null);
      const first = await train(3, run, [0, 2], null);
      for (const ranks of [1, 3, 4]) {
        const second = await train(ranks, run, [2, 4], first.end);
        expect(distance(through.weights, second.weights)).toBeLessThan(1e-5);
        expect(JSON.stringify([...second.end.tensors.keys()])).toBe(
          JSON.stringify([...through.end.tensors.keys()]),
        );
        for (const [name, value] of through.end.tensors) {
          expect(second.end.tensors.get(name)!.shape, name).toEqual(value.shape);
        }
        tf.dispose([...second.end.tensors.values()]);
      }
      // And without ranks.
      const { network, trainer, dispose } = smallTrainer(run);
      trainer.restore(first.end);
      await trainer.fit(batches(2, 4), { epochs: 1 });
      expect(distance(through.weights, network.weights())).toBeLessThan(1e-5);
      dispose();
      tf.dispose([...through.end.tensors.values(), ...first.end.tensors.values()]);
    });
  });
});
