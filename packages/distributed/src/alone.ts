import type { Communicator } from './communicator.ts';

/**
 * The communicator of a process that is the only rank: a program for several ranks runs with it where there are no
 * others.
 *
 * @example
 * ```ts
 * import { alone } from '@multigrad/distributed';
 *
 * const communicator = alone();
 * const values = Float32Array.of(1, 2);
 * await communicator.allReduce(values);
 * console.log(communicator.size, values); // 1 Float32Array(2) [ 1, 2 ]
 * ```
 */
export function alone(): Communicator {
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    kind: 'alone',
    rank: 0,
    size: 1,
    nextCall: () => undefined,
    allReduce: nothing,
    reduceScatter: (values) => Promise.resolve(values.slice()),
    allToAll: (values) => Promise.resolve(values.slice() as typeof values),
    allGather: (part) => Promise.resolve(part.slice() as typeof part),
    broadcast: nothing,
    barrier: nothing,
    allGatherNow: (values) => values.slice(),
    abort: () => undefined,
    close: nothing,
  };
}
