import type { Variable } from '@tensorflow/tfjs-core';
import { solo } from '../ranks/solo.ts';
import type { Sharding } from './sharding.ts';

/** The part of a process by itself: everything. The optimizer changes the variables themselves. */
export function whole(variables: ReadonlyMap<string, Variable>): Sharding {
  const nothing = (): void => undefined;
  return {
    collective: solo,
    whole: true,
    sumNow: null,
    variables,
    optimizerFor: (optimizer) => optimizer,
    begin: async () => Promise.resolve(),
    place: async (_, sizes) => Promise.resolve({ first: sizes.map(() => 0), total: sizes }),
    apply: async (update, combinations, groups, step, modulations) =>
      update.apply(combinations, step, groups, modulations),
    shareStatistics: async () => Promise.resolve(),
    gather: async (tensors) => Promise.resolve(tensors),
    shapeOf: () => null,
    cut: (tensors) => new Map(Array.from(tensors, ([name, tensor]) => [name, tensor.clone()])),
    free: nothing,
    dispose: nothing,
  };
}
