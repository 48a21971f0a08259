import type { Ranks } from './ranks.ts';

/** A process by itself. */
export const solo: Ranks = {
  rank: 0,
  leads: true,
  introduction: [],
  check: () => Promise.resolve(),
  order: (order) => Promise.resolve(order),
  checkData: () => Promise.resolve(),
  trainerOptions: () => ({}),
  shard: (batches) => batches,
  evaluationSignal: (signal) => signal,
  restore: (checkpoints, trainer) =>
    checkpoints.read((snapshot) => ({
      step: snapshot.state.step,
      fit: trainer.restore(snapshot),
    })),
  communication: () => ({}),
  summary: () => [],
};
