import type { Communicator, Payload } from './communicator.ts';

/** Totals of one kind of exchange on this rank. */
export interface Traffic {
  readonly calls: number;
  /** Bytes passed to the calls; of whole rows where each rank gets or gives its slice. */
  readonly bytes: number;
  /**
   * Time for which this rank did nothing else, in the unit of the clock: for the transfer, and for waiting for slower ranks. Of
   * gradients and weights that are exchanged aside, the time in which nothing else was left to do.
   */
  readonly time: number;
}

/** The exchanges of a rank, by kind. */
export interface TrafficReport {
  /** Gradients on their way to the ranks' slices. */
  readonly reduceScatter: Traffic;
  /** New weights on their way back. */
  readonly allGather: Traffic;
  /** All other exchanges: what the ranks agree on, inner products, decisions, first weights, statistics. */
  readonly control: Traffic;
}

/** A communicator that counts. */
export interface MeasuredCommunicator extends Communicator {
  /** What was exchanged since it was made. */
  readonly traffic: () => TrafficReport;
}

/** Exchanges that are made while this rank goes on. */
type Aside = 'reduceScatter' | 'allGather';

/** What adds up the time of waiting for exchanges under way, by the communicator that counts. */
const waits = new WeakMap<Communicator, <T>(kind: Aside, underWay: Promise<T>) => Promise<T>>();

/** Waits for an exchange of gradients or weights that is under way: a communicator that counts adds up the time. */
export async function waitedFor<T>(
  communicator: Communicator,
  kind: Aside,
  underWay: Promise<T>,
): Promise<T> {
  const wait = waits.get(communicator);
  return wait === undefined ? underWay : wait(kind, underWay);
}

/**
 * The same communicator, counting what goes through it.
 *
 * @param now - the time, such as `performance.now()` tells it
 *
 * @example
 * ```ts
 * import { alone, measured } from '@multigrad/distributed';
 *
 * const communicator = measured(alone(), () => performance.now());
 * await communicator.reduceScatter(new Float32Array(1000), [1000]);
 * console.log(communicator.traffic().reduceScatter.bytes); // 4000
 * ```
 */
export function measured(communicator: Communicator, now: () => number): MeasuredCommunicator {
  const totals = {
    reduceScatter: { calls: 0, bytes: 0, time: 0 },
    allGather: { calls: 0, bytes: 0, time: 0 },
    control: { calls: 0, bytes: 0, time: 0 },
  };
  const begin = (kind: keyof TrafficReport, bytes: number): (() => void) => {
    const began = now();
    return () => {
      const total = totals[kind];
      total.calls += 1;
      total.bytes += bytes;
      total.time += now() - began;
    };
  };
  const count = async <T>(
    kind: keyof TrafficReport,
    bytes: number,
    call: () => Promise<T>,
  ): Promise<T> => {
    const end = begin(kind, bytes);
    try {
      return await call();
    } finally {
      end();
    }
  };
  const wait = async <T>(kind: Aside, underWay: Promise<T>): Promise<T> => {
    const began = now();
    try {
      return await underWay;
    } finally {
      totals[kind].time += now() - began;
    }
  };
  const countAside = (kind: Aside, bytes: number): void => {
    totals[kind].calls += 1;
    totals[kind].bytes += bytes;
  };
  const { allGatherNow, size } = communicator;
  const counting: MeasuredCommunicator = {
    ...communicator,
    allReduce: async (values, reduction) =>
      count('control', values.byteLength, async () => communicator.allReduce(values, reduction)),
    reduceScatter: async (values, counts) => {
      countAside('reduceScatter', values.byteLength);
      return communicator.reduceScatter(values, counts);
    },
    allToAll: async (values, counts) => {
      countAside('reduceScatter', values.byteLength);
      return communicator.allToAll(values, counts);
    },
    allGather: async <T extends Payload>(part: T, counts: readonly number[]): Promise<T> => {
      const elements = counts.reduce((sum, size) => sum + size, 0);
      const bytes = elements * part.BYTES_PER_ELEMENT;
      const call = async (): Promise<T> => communicator.allGather(part, counts);
      if (!(part instanceof Float32Array)) return count('control', bytes, call);
      countAside('allGather', bytes);
      return call();
    },
    broadcast: async (values, root) =>
      count('control', values.byteLength, async () => communicator.broadcast(values, root)),
    barrier: async () => count('control', 0, async () => communicator.barrier()),
    allGatherNow:
      allGatherNow === null
        ? null
        : (values) => {
            const end = begin('control', size * values.byteLength);
            const all = allGatherNow(values);
            end();
            return all;
          },
    traffic: () => ({
      reduceScatter: { ...totals.reduceScatter },
      allGather: { ...totals.allGather },
      control: { ...totals.control },
    }),
  };
  waits.set(counting, wait);
  return counting;
}
