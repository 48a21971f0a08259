import { describe, expect, it } from 'vitest';
import type { Communicator } from '../communicator.ts';
import { broadcastJson, gatherJson } from '../json.ts';
import { runRanks } from './local-group.ts';

describe('runRanks', () => {
  it('adds up, hands out, puts together and hands round', async () => {
    const results = await runRanks(3, async (communicator) => {
      const { rank } = communicator;
      const sums = Float32Array.of(rank, 1);
      await communicator.allReduce(sums);
      const largest = Float64Array.of(rank, 1 - rank);
      await communicator.allReduce(largest, 'max');
      const part = await communicator.reduceScatter(Float32Array.of(0, 1, 2, 3), [1, 3, 0]);
      const whole = await communicator.allGather(new Uint8Array(rank).fill(rank), [0, 1, 2]);
      const given = Float64Array.of(rank);
      await communicator.broadcast(given, 2);
      await communicator.barrier();
      return { sums, largest, part, whole, given };
    });
    expect(results.map(({ part }) => [...part])).toEqual([[0], [3, 6, 9], []]);
    for (const { sums, largest, whole, given } of results) {
      expect([sums, largest, whole, given]).toEqual([
        Float32Array.of(3, 3),
        Float64Array.of(2, 1),
        Uint8Array.of(1, 2, 2),
        Float64Array.of(2),
      ]);
    }
  });

  it('hands round JSON of any length, with what float64 holds', async () => {
    const results = await runRanks(3, async (communicator) => {
      const own = {
        rank: communicator.rank,
        text: 'ä'.repeat(communicator.rank),
        value: 0.1 + 0.2,
      };
      const all = await gatherJson(communicator, own);
      const first = await broadcastJson(communicator, communicator.rank === 1 ? own : null, 1);
      return { all, first };
    });
    const value = 0.1 + 0.2;
    const all = ['', 'ä', 'ää'].map((text, rank) => ({ rank, text, value }));
    for (const result of results) expect(result).toEqual({ all, first: all[1] });
  });

  it('hands round long JSON', async () => {
    const texts = await runRanks(2, async (communicator) => {
      const { rank } = communicator;
      const all = await gatherJson(communicator, 'x'.repeat(1017 + rank * 3000));
      const first = await broadcastJson(communicator, rank === 0 ? 'y'.repeat(5000) : null);
      return [...all, first].map(({ length }) => length);
    });
    expect(texts).toEqual(new Array(2).fill([1017, 4017, 5000]));
  });

  it('names both ranks where they make different calls', async () => {
    await expect(
      runRanks(2, async (communicator) =>
        communicator.rank === 0
          ? communicator.barrier()
          : communicator.allReduce(new Float32Array(2)),
      ),
    ).rejects.toThrow(/Found barrier on rank 0, allReduce\(Float32Array\[2\], sum\) on rank 1/);
  });

  it('wakes those who wait when a rank fails, or ends all', async () => {
    const woken: string[] = [];
    const waiting =
      (fail: (communicator: Communicator) => void) =>
      async (communicator: Communicator): Promise<void> => {
        if (communicator.rank === 1) {
          fail(communicator);
          return;
        }
        await communicator.barrier().catch((error: unknown) => {
          woken.push(String(error));
          throw error;
        });
      };
    const failing = waiting(() => {
      throw new Error('out of memory');
    });
    await expect(runRanks(2, failing)).rejects.toThrow('out of memory');
    const aborting = waiting((communicator) => {
      communicator.abort(3);
    });
    await expect(runRanks(2, aborting)).rejects.toThrow('Rank 1 ended all ranks with exit code 3.');
    expect(woken).toEqual([
      'Error: out of memory',
      'MultigradError: Rank 1 ended all ranks with exit code 3.',
    ]);
    await expect(runRanks(0, async () => Promise.resolve())).rejects.toThrow(/at least 1. Found 0/);
  });
});
