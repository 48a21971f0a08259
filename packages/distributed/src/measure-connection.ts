import { MultigradError } from '@multigrad/core/strategy';
import type { Communicator } from './communicator.ts';
import { gradientExchange } from './exchange.ts';
import type { Connection } from './forecast.ts';

/** Options of {@link measureConnection}. */
export interface MeasureConnectionOptions {
  /** Numbers of the row that is added up and gathered, an integer >= 1. @defaultValue 4 Mi */
  readonly numbers?: number;
  /** Large exchanges, and small ones by twenty, an integer >= 1; the median counts. @defaultValue 9 */
  readonly rounds?: number;
}

/** Bytes that each rank sends in a small exchange: those of a short message of JSON. */
const messageBytes = 1024;
/** Small exchanges for each large one. */
const messages = 20;

/**
 * Measures what {@link forecast} needs to know of the connection between these ranks, in the terms of its model. All ranks have
 * to call it, and get the same answer: medians, of the slowest rank.
 *
 * - latency: the time of an exchange of 1024 bytes from each rank, divided by ⌈log₂ N⌉
 * - bandwidth: `(N − 1)/N · 8 n / (t − 2 (N − 1) α)` for the time t in which a row of n float32 numbers is added up over the ranks
 *   and its slices are gathered, packing and adding included, with nothing to compute meanwhile
 *
 * @param now - the time in milliseconds, such as `performance.now()` tells it
 * @throws MultigradError `invalid-argument` for a rank by itself and for numbers out of their ranges
 *
 * @example
 * ```ts
 * import { measureConnection, runRanks } from '@multigrad/distributed';
 *
 * const [connection] = await runRanks(2, async (communicator) =>
 *   measureConnection(communicator, () => performance.now(), { numbers: 1000, rounds: 3 }),
 * );
 * console.log(connection!.latency > 0, connection!.bandwidth > 0); // true true
 * ```
 */
export async function measureConnection(
  communicator: Communicator,
  now: () => number,
  { numbers = 2 ** 22, rounds = 9 }: MeasureConnectionOptions = {},
): Promise<Connection> {
  const { size } = communicator;
  if (size === 1) {
    throw new MultigradError(
      'invalid-argument',
      'A connection should be measured between 2 ranks or more. Found 1.',
    );
  }
  for (const [name, value] of Object.entries({ numbers, rounds })) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new MultigradError(
      'invalid-argument',
      `\`${name}\` should be an integer >= 1. Found ${value}.`,
    );
  }
  const exchange = gradientExchange(communicator);
  /** The median time of a call, on the slowest rank. */
  const secondsOf = async (times: number, call: () => Promise<unknown>): Promise<number> => {
    const seconds: number[] = [];
    // The first call is none of them: it compiles code and finds memory.
    for (let i = -1; i < times; i += 1) {
      await communicator.barrier();
      const began = now();
      await call();
      if (i >= 0) seconds.push((now() - began) / 1000);
    }
    const median = Float64Array.of(seconds.sort((a, b) => a - b)[Math.floor(times / 2)]!);
    await communicator.allReduce(median, 'max');
    return median[0]!;
  };
  const counts = new Array<number>(size).fill(messageBytes);
  const small = await secondsOf(messages * rounds, async () =>
    communicator.allGather(new Uint8Array(messageBytes), counts),
  );
  const latency = small / Math.ceil(Math.log2(size));
  const large = await secondsOf(rounds, async () => {
    const sums = exchange.sumRows();
    await sums.add(new Float32Array(numbers).fill(1), numbers);
    await exchange.allGather(await sums.end(), [numbers], () => undefined);
  });
  // Where the machine was busy in the first measurement, latencies alone may seem to take longer than all.
  const sending = Math.max(large - 2 * (size - 1) * latency, large / 10);
  return { latency, bandwidth: (((size - 1) / size) * 8 * numbers) / sending };
}
