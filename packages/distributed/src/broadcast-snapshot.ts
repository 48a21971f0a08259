import type { TrainerSnapshot, TrainerState } from '@multigrad/core';
import type { Json } from '@multigrad/core/strategy';
import { dispose, tensor, type Tensor } from '@tensorflow/tfjs-core';
import type { Communicator } from './communicator.ts';
import { broadcastJson } from './json.ts';

/** A snapshot's JSON, and its tensors' shapes by name. */
interface Header {
  readonly state: TrainerState;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** An object that can be restored from a snapshot, such as a `MultiObjectiveTrainer`. */
export interface Restorable<T> {
  /** Restores the state of a snapshot. */
  restore(snapshot: TrainerSnapshot): T;
}

/**
 * Restores every rank's trainer from a snapshot that rank 0 alone has, such as that of a checkpoint on its disk. The
 * snapshot may have been made by any number of ranks.
 *
 * @param snapshot - on rank 0, or null for none; its tensors, float32, stay the caller's
 * @returns what the trainer's `restore` returned; null where there is no snapshot
 *
 * @example
 * ```ts
 * import { alone, broadcastSnapshot } from '@multigrad/distributed';
 *
 * const trainer = { restore: () => 'restored' };
 * console.log(await broadcastSnapshot(alone(), null, trainer)); // null
 * ```
 */
export async function broadcastSnapshot<T>(
  communicator: Communicator,
  snapshot: TrainerSnapshot | null,
  trainer: Restorable<T>,
): Promise<T | null> {
  const own: Header | null =
    snapshot === null
      ? null
      : {
          state: snapshot.state,
          tensors: Array.from(snapshot.tensors, ([name, { shape }]) => ({ name, shape })),
        };
  const header = (await broadcastJson(
    communicator,
    own as unknown as Json,
  )) as unknown as Header | null;
  if (header === null) return null;
  const tensors = new Map<string, Tensor>();
  try {
    for (const { name, shape } of header.tensors) {
      const size = shape.reduce((product, side) => product * side, 1);
      const values = Float32Array.from(
        (await snapshot?.tensors.get(name)?.data<'float32'>()) ?? new Float32Array(size),
      );
      await communicator.broadcast(values);
      tensors.set(name, tensor(values, [...shape], 'float32'));
    }
    return trainer.restore({ state: header.state, tensors });
  } finally {
    dispose([...tensors.values()]);
  }
}
