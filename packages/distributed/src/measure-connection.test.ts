import { describe, expect, it } from 'vitest';
import { alone } from './alone.ts';
import type { Communicator } from './communicator.ts';
import { forecast } from './forecast.ts';
import { runRanks } from './local/local-group.ts';
import { measureConnection } from './measure-connection.ts';

/** Seconds that exchanges take by the formula of `forecast`: rings for numbers, trees for messages. */
function timed(communicator: Communicator, latency: number, bandwidth: number) {
  let milliseconds = 0;
  const { size } = communicator;
  const ring = (bytes: number): void => {
    milliseconds += 1000 * ((size - 1) * latency + (((size - 1) / size) * bytes) / bandwidth);
  };
  const by: Communicator = {
    ...communicator,
    reduceScatter: async (values, counts) => {
      ring(values.byteLength);
      return communicator.reduceScatter(values, counts);
    },
    allGather: async (part, counts) => {
      if (part instanceof Float32Array) ring(4 * counts.reduce((sum, count) => sum + count, 0));
      else milliseconds += 1000 * Math.ceil(Math.log2(size)) * latency;
      return communicator.allGather(part, counts);
    },
  };
  return { by, now: () => milliseconds };
}

describe('measureConnection', () => {
  it.each([2, 3, 4])(
    'finds latency and bandwidth between %i ranks, the same on each',
    async (ranks) => {
      const found = await runRanks(ranks, async (communicator) => {
        // Rank 1 is the slowest.
        const { by, now } = timed(communicator, communicator.rank === 1 ? 3e-4 : 1e-4, 2e8);
        return measureConnection(by, now, { numbers: 1e5, rounds: 3 });
      });
      for (const connection of found) {
        expect(connection.latency).toBeCloseTo(3e-4, 10);
        expect(connection.bandwidth / 2e8).toBeCloseTo(1, 6);
      }
      // So the forecast of the same exchange is what it took.
      const work = { batch: 1, secondsPerSample: 1, shared: 1e5, objectives: 1, smallExchanges: 1 };
      const trees = Math.ceil(Math.log2(ranks)) * 3e-4;
      const rings = 2 * (ranks - 1) * 3e-4 + (((ranks - 1) / ranks) * 8e5) / 2e8;
      expect(forecast(ranks, work, found[0]!).communication).toBeCloseTo(rings + trees, 9);
    },
  );

  it('needs two ranks, and whole numbers', async () => {
    await expect(measureConnection(alone(), () => 0)).rejects.toThrow(/2 ranks or more. Found 1/);
    await runRanks(2, async (communicator) => {
      await expect(measureConnection(communicator, () => 0, { rounds: 0 })).rejects.toThrow(
        /`rounds` should be an integer >= 1. Found 0/,
      );
    });
  });
});
