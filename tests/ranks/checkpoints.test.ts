import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Checkpoints, type CheckpointsOptions } from '@multigrad/checkpoint';
import type { GradientExchange } from '@multigrad/core';
import { type Files, nodeFiles } from '@multigrad/core/files';
import { gradientExchange, runRanks, shardBatches } from '@multigrad/distributed';
import { moco } from '@multigrad/strategy-moco';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { expectConstantMemory, startTestBackend } from '@multigrad/test-support';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  distance,
  smallBatch,
  type SmallRun,
  smallTrainer,
} from '../../packages/distributed/src/testing/small-network.ts';

// A program's own ranks keep checkpoints by the same lines as one process: `restore`, then `fit` with the callback.

beforeAll(async () => {
  await startTestBackend();
});

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-ranks-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const steps = 5;
const batches = function* () {
  for (let step = 0; step < steps; step += 1) yield smallBatch(step, 11);
};

interface Part {
  /** Steps after which the job ends as if it had been killed; all of them where absent. */
  readonly until?: number;
  readonly options?: (rank: number, exchange: GradientExchange) => CheckpointsOptions;
  readonly everySteps?: number;
  readonly folderOf?: (rank: number) => string;
}

class Killed extends Error {}

/** Files that say how many bytes of which file are read. */
function countedReads(count: (file: string, bytes: number) => void): Files {
  return {
    ...nodeFiles,
    open: async (path, how) => {
      const file = await nodeFiles.open(path, how);
      const read = file.read.bind(file);
      file.read = async (into, at) => {
        const bytes = await read(into, at);
        count(basename(path), bytes);
        return bytes;
      };
      return file;
    },
  };
}

/** Trains by so many ranks; 0 for a process without an exchange. @returns the weights, or what each rank threw */
async function train(
  ranks: number,
  run: SmallRun,
  {
    until = steps,
    options = (_, exchange) => ({ exchange }),
    everySteps = 1,
    folderOf = () => folder,
  }: Part = {},
): Promise<{ readonly weights: Float32Array; readonly began: number; readonly error: string }[]> {
  return expectConstantMemory(async () =>
    runRanks(Math.max(1, ranks), async (communicator) => {
      const exchange = ranks === 0 ? undefined : gradientExchange(communicator);
      const { rank } = communicator;
      const { network, trainer, dispose } = smallTrainer(run, exchange, 1 + rank);
      const checkpoints = new Checkpoints(folderOf(rank), {
        config: { rate: 0.05 },
        ...(exchange === undefined ? {} : options(rank, exchange)),
      });
      let began = 0;
      let error = '';
      try {
        const restored = await checkpoints.restore(trainer);
        began = restored?.step ?? 0;
        let made = began;
        await trainer.fit(ranks === 0 ? batches : shardBatches(batches, communicator), {
          epochs: 1,
          disposeBatches: true,
          callbacks: [
            checkpoints.callback({ everySteps }),
            {
              onBatchBegin: () => {
                if (made === until) throw new Killed();
                made += 1;
              },
            },
          ],
          resume: restored?.fit,
        });
      } catch (thrown) {
        if (!(thrown instanceof Killed)) error = (thrown as Error).message;
      }
      const weights = network.weights();
      dispose();
      return { weights, began, error };
    }),
  );
}

const runs: [string, SmallRun][] = [
  ['Adam', { strategy: () => pcgrad({ seed: 1 }), optimizer: 'adam' }],
  [
    'fused Adam, averages, a memory of gradients',
    {
      strategy: () => moco() as never,
      optimizer: 'fused-adam',
      options: { average: { decay: 0.5 } },
    },
  ],
];

describe.each([false, true])('checkpoints of several ranks, `sharded` %s', (sharded) => {
  const options = (_: number, exchange: GradientExchange): CheckpointsOptions => ({
    exchange,
    sharded,
  });

  it.each(runs)('are gone on from by any number of ranks: %s', async (_, run) => {
    const [through] = await train(0, run, { everySteps: 1000 });
    rmSync(folder, { recursive: true });
    const first = await train(4, run, { until: 3, options });
    expect(first.map(({ error }) => error)).toEqual(new Array(4).fill(''));
    const kept = join(folder, readdirSync(folder).sort().at(-1)!);
    expect(readdirSync(kept).sort()).toEqual(
      sharded
        ? [
            'checkpoint.json',
            ...[0, 1, 2, 3].map((rank) => `training-${rank}-of-4.safetensors`),
            'weights.safetensors',
          ]
        : ['checkpoint.json', 'training.safetensors', 'weights.safetensors'],
    );
    for (const ranks of [0, 1, 3]) {
      // Not saved: the next number of ranks begins at the same step.
      const ends = await train(ranks, run, { options, everySteps: 1000, until: steps - 1 });
      for (const { weights, began, error } of ends) {
        expect([error, began]).toEqual(['', 3]);
        expect(weights).toEqual(ends[0]!.weights);
      }
    }
    const ends = await train(2, run, { options });
    for (const { weights, error } of ends) {
      expect(error).toBe('');
      expect(distance(through!.weights, weights)).toBeLessThan(1e-5);
    }
  });

  it('by the same number of ranks go on bit for bit', async () => {
    const [, run] = runs[1]!;
    const through = await train(3, run, { options });
    rmSync(folder, { recursive: true });
    await train(3, run, { options, until: 2 });
    const ends = await train(3, run, { options });
    expect(ends.map(({ began }) => began)).toEqual([2, 2, 2]);
    expect(ends.map(({ weights }) => weights)).toEqual(through.map(({ weights }) => weights));
  });

  it('that cannot be written end `fit` on every rank, with the reason, and leave what was there', async () => {
    const [, run] = runs[0]!;
    await train(3, run, { options, until: 2 });
    const before = readdirSync(folder).sort();
    const full = (rank: number, exchange: GradientExchange): CheckpointsOptions => ({
      ...options(rank, exchange),
      files: {
        ...nodeFiles,
        open: async (path, how) => {
          const file = await nodeFiles.open(path, how);
          const culprit = sharded ? 2 : 0;
          if (how !== 'create' || rank !== culprit) return file;
          const broken = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
          return Object.assign(Object.create(file) as typeof file, {
            size: async () => file.size(),
            sync: async () => Promise.reject(broken),
            close: async () => file.close(),
            write: async (bytes: Uint8Array) => file.write(bytes),
          });
        },
      },
    });
    const ends = await train(3, run, { options: full });
    for (const { error } of ends) expect(error).toMatch(/checkpoint of step 3.*no space left/s);
    expect(readdirSync(folder).sort()).toEqual(before);
    const again = await train(3, run, { options });
    expect(again.map(({ began }) => began)).toEqual([2, 2, 2]);
  });

  it('of another configuration are refused on every rank', async () => {
    const [, run] = runs[0]!;
    await train(2, run, { options, until: 2 });
    const ends = await train(2, run, {
      options: (rank, exchange) => ({ ...options(rank, exchange), config: { rate: 0.1 } }),
    });
    for (const { error } of ends) expect(error).toMatch(/rate: 0.05 in the checkpoint, 0.1 here/);
  });
});

describe('slices of a checkpoint', () => {
  const options = (_: number, exchange: GradientExchange): CheckpointsOptions => ({
    exchange,
    sharded: true,
  });

  it('in a folder that ranks do not share are refused, with the missing file', async () => {
    const [, run] = runs[0]!;
    const other = mkdtempSync(join(tmpdir(), 'multigrad-ranks-'));
    const ends = await train(2, run, {
      options,
      folderOf: (rank) => (rank === 0 ? folder : other),
    });
    for (const { error } of ends) expect(error).not.toBe('');
    expect(ends[1]!.error).toMatch(/checkpoint of step 1/);
    expect(readdirSync(folder)).toEqual([]);
    rmSync(other, { recursive: true });
  });

  it('are read by each rank for itself: what it holds is its slices, and the bits that were written', async () => {
    const [, run] = runs.at(-1)!;
    await train(4, run, { options, until: 2 });
    const kept = join(folder, readdirSync(folder).sort().at(-1)!);
    const bytesOf = (file: string): number => statSync(join(kept, file)).size;
    const written = await new Checkpoints(folder, { config: { rate: 0.05 } }).readNewest();
    const numbers = (name: string): number[] => {
      const { bytes } = written!.tensors.get(name)!;
      return [...new Float32Array(bytes.slice().buffer)];
    };
    for (const ranks of [1, 2, 3, 4]) {
      await runRanks(ranks, async (communicator) => {
        const { rank } = communicator;
        const exchange = gradientExchange(communicator);
        const { trainer, dispose } = smallTrainer(run, exchange, 1 + rank);
        const read = new Map<string, number>();
        const counted = countedReads((file, bytes) =>
          read.set(file, (read.get(file) ?? 0) + bytes),
        );
        const checkpoints = new Checkpoints(folder, {
          ...{ exchange, sharded: true, config: { rate: 0.05 } },
          files: counted,
        });
        let held: readonly string[] = [];
        await checkpoints.restore({
          restore: (snapshot) => {
            held = [...snapshot.tensors]
              .filter(([name]) => !/^(weights|statistics)\//.test(name))
              .filter(([name, { size }]) => size > Math.ceil(numbers(name).length / ranks))
              .map(([name]) => name);
            return trainer.restore(snapshot);
          },
        });
        expect(held).toEqual([]);
        const own = [0, 1, 2, 3].filter(
          (writer) =>
            writer % ranks === rank ||
            (writer < 4 * ((rank + 1) / ranks) && writer + 1 > 4 * (rank / ranks)),
        );
        const files = [...read.keys()].filter((file) => file.startsWith('training')).sort();
        if (ranks > 1) {
          expect(files).toEqual(own.map((writer) => `training-${writer}-of-4.safetensors`));
          for (const file of files) expect(read.get(file)).toBe(bytesOf(file));
          expect(read.has('weights.safetensors')).toBe(rank === 0);
        }
        const { tensors } = await trainer.gatherSnapshot();
        if (rank === 0) {
          expect([...tensors.keys()].sort()).toEqual([...written!.tensors.keys()].sort());
          for (const [name, value] of tensors) {
            expect([name, [...value.dataSync()]]).toEqual([name, numbers(name)]);
          }
        }
        dispose();
      });
    }
  });

  it('one of which is damaged: the checkpoint before it is taken', async () => {
    const [, run] = runs[0]!;
    await train(3, run, { options, until: 3 });
    const newest = join(folder, readdirSync(folder).sort().at(-1)!);
    const file = join(newest, 'training-1-of-3.safetensors');
    truncateSync(file, readFileSync(file).length - 4);
    const ends = await train(2, run, { options });
    expect(ends.map(({ began, error }) => [began, error])).toEqual([
      [2, ''],
      [2, ''],
    ]);
  });
});

it('checkpoints of ranks without the option `exchange` are refused, and nothing is written', async () => {
  const [, run] = runs[0]!;
  const ends = await train(2, run, { options: () => ({}) });
  for (const { error } of ends) {
    expect(error).toMatch(/`Checkpoints` of a trainer among ranks.*`exchange`.*2 ranks/);
  }
  expect(readdirSync(folder)).toEqual([]);
});
