import { tensor } from '@tensorflow/tfjs-core';
import type { TrainerSnapshot, TrainerState } from '../snapshot.ts';

/** A snapshot as a file would hold it: nothing shared with the trainer. The tensors are the caller's. */
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
