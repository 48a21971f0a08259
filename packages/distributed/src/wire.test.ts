import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { mgda } from '@multigrad/strategy-mgda';
import { expectConstantMemory, startTestBackend } from '@multigrad/test-support';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { alone } from './alone.ts';
import { type ExchangeOptions, gradientExchange } from './exchange.ts';
import { runRanks } from './local/local-group.ts';
import { measured } from './measured.ts';
import { shardBatches } from './shard-batches.ts';
import { distance, smallBatch, smallTrainer } from './testing/small-network.ts';
import { fromBfloat16, toBfloat16 } from './wire.ts';

beforeAll(async () => {
  await startTestBackend();
});

const rounded = (value: number): number => fromBfloat16(toBfloat16(Float32Array.of(value)))[0]!;

describe('bfloat16', () => {
  it('is the nearest number with 8 significant bits, ties to even', () => {
    const numbers = fc.float({ min: 2 ** -126, max: 2 ** 127, noNaN: true });
    fc.assert(
      fc.property(numbers, fc.boolean(), (size, negative) => {
        const value = negative ? -size : size;
        const step = 2 ** (Math.floor(Math.log2(size)) - 7);
        const below = Math.floor(value / step) * step;
        const [left, right] = [value - below, below + step - value];
        const even = (below / step) % 2 === 0 ? below : below + step;
        const nearest = left < right ? below : right < left ? below + step : even;
        expect(rounded(value)).toBe(nearest);
      }),
    );
  });

  it('keeps zeros, infinities and NaN', () => {
    const kept = [0, -0, Infinity, -Infinity, NaN, 1, -2.5];
    expect(kept.map(rounded)).toEqual(kept);
    // A NaN whose payload is in the lower half alone.
    const low = new Float32Array(Uint32Array.of(0x7f800001).buffer);
    expect(fromBfloat16(toBfloat16(low))[0]).toBeNaN();
    expect(rounded(3.4e38)).toBe(Infinity);
  });
});

describe('gradients sent as bfloat16', () => {
  interface Outcome {
    readonly weights: Float32Array;
    readonly error: number | null;
    readonly bytes: number;
    readonly message: string;
  }
  const trained = async (optionsOf: (rank: number) => ExchangeOptions): Promise<Outcome[]> =>
    expectConstantMemory(async () =>
      runRanks(3, async (communicator) => {
        const counting = measured(communicator, () => 0);
        const exchange = gradientExchange(counting, optionsOf(communicator.rank));
        const { network, trainer, dispose } = smallTrainer({ strategy: () => mgda() }, exchange);
        function* batches(): Generator<ReturnType<typeof smallBatch>> {
          for (const seed of [0, 1, 2, 3]) yield smallBatch(seed);
        }
        let message = '';
        let first = 0;
        try {
          await trainer.fit(shardBatches(batches, communicator), {
            epochs: 1,
            disposeBatches: true,
            callbacks: [
              {
                onBatchEnd: (batch) => {
                  if (batch === 0) first = counting.traffic().reduceScatter.bytes;
                },
              },
            ],
          });
        } catch (error) {
          message = (error as Error).message;
        }
        const bytes = counting.traffic().reduceScatter.bytes - first;
        const weights = network.weights();
        dispose();
        return { weights, error: exchange.wireError(), bytes, message };
      }),
    );

  it('take half the bytes, and every rank knows their error', async () => {
    const exact = await trained(() => ({}));
    const half = await trained(() => ({ wire: 'bfloat16' }));
    const [{ error, weights, bytes }] = half as [Outcome];
    console.log(
      `three ranks, four steps of MGDA: the first sums are ${error!.toExponential(1)} apart, weights ${distance(exact[0]!.weights, weights).toExponential(1)}`,
    );
    expect(half.map(({ message }) => message)).toEqual(['', '', '']);
    expect(exact[0]!.error).toBe(0);
    expect(bytes).toBe(exact[0]!.bytes / 2);
    expect(error).toBeGreaterThan(1e-5);
    expect(error).toBeLessThan(2 ** -8);
    const off = distance(exact[0]!.weights, weights);
    expect(off).toBeGreaterThan(0);
    expect(off).toBeLessThan(0.01);
    for (const one of half) expect([one.error, ...one.weights]).toEqual([error, ...weights]);
  });

  it('are refused on every rank where they are less exact than asked for', async () => {
    const refused = await trained(() => ({ wire: 'bfloat16', wireTolerance: 1e-5 }));
    for (const { message, error } of refused) {
      expect(message).toMatch(/relative error of at most 0.00001 .*Found \d\.\de-[34]/);
      expect(message).toBe(refused[0]!.message);
      expect(error).toBe(null);
    }
  });

  it('are refused where one rank sends otherwise, before any gradient', async () => {
    const refused = await trained((rank) => ({ wire: rank === 2 ? 'bfloat16' : 'float32' }));
    for (const { message, bytes } of refused) {
      expect(message).toMatch(
        /should exchange gradients in the same way. Found\n.*wire.*float32.*bfloat16/s,
      );
      expect(bytes).toBe(0);
    }
  });

  it('have options that are checked', () => {
    const open = (options: object) => () => gradientExchange(alone(), options);
    expect(open({ wire: 'float16' })).toThrow(/`wire` should be .*Found float16/);
    expect(open({ wireTolerance: 0 })).toThrow(/`wireTolerance`.*Found 0/);
  });
});
