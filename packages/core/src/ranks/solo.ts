import type { Tensor } from '@tensorflow/tfjs-core';
import type { Collective } from './collective.ts';

/** The communication of a process by itself: every method returns its input. */
export const solo: Collective = {
  rank: 0,
  size: 1,
  sumNow: null,
  fromEach: async (_, work) => [await work()],
  fromFirst: async (_, work) => work(),
  heed: (_, own) => ({ current: own, tell: async () => Promise.resolve() }),
  agree: async (_, { alone }) => Promise.resolve(alone()),
  sum: async (values) => Promise.resolve(values),
  awaitsRows: false,
  sumRows: () => {
    const rows: (Tensor | null)[] = [];
    return {
      add: async (row) => {
        rows.push(row);
        return Promise.resolve();
      },
      flush: async () => Promise.resolve(),
      end: async () => Promise.resolve(rows),
    };
  },
  wholeRows: async (slices) => Promise.resolve(slices.map(({ slice }) => slice)),
  sliceOf: (size) => ({ begin: 0, end: size }),
};
