import { tensor } from '@tensorflow/tfjs-core';
import type { TrainerSnapshot, TrainerState } from '../snapshot.ts';

/** Copies a snapshot as a file would: it shares nothing with the trainer. The tensors are the caller's. */
export function copySnapshot({ state, tensors }: TrainerSnapshot): TrainerSnapshot {
  return {
    state: JSON.parse(JSON.stringify(state)) as TrainerState,
    tensors: new Map(
      Array.from(tensors, ([name, value]) => [
        name,
        tensor(value.dataSync().slice(), value.shape, value.dtype),
      ]),
    ),
  };
}
