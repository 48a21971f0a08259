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
  sumRows: async (rows) => Promise.resolve(rows.map(({ row }) => row)),
  wholeRows: async (slices) => Promise.resolve(slices.map(({ slice }) => slice)),
  sliceOf: (size) => ({ begin: 0, end: size }),
};
