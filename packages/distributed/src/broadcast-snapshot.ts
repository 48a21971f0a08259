import { sliceOf, type TrainerSnapshot, type TrainerState } from '@multigrad/core';
import type { Json } from '@multigrad/core/strategy';
import { dividedTensors } from '@multigrad/core/support';
import { dispose, tensor, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
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
 * snapshot may have been made by any number of ranks. Each rank keeps its slices of what ranks divide: beside them it holds one
 * whole tensor at a time.
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
  const { rank, size: ranks } = communicator;
  const all = new Map(header.tensors.map(({ name, shape }) => [name, shape]));
  const shapes = ranks === 1 ? new Map<string, never>() : dividedTensors(header.state, all);
  const tensors = new Map<string, Tensor>();
  try {
    for (const { name, shape } of header.tensors) {
      const size = shape.reduce((product, side) => product * side, 1);
      const values = Float32Array.from(
        (await snapshot?.tensors.get(name)?.data<'float32'>()) ?? new Float32Array(size),
      );
      await communicator.broadcast(values);
      const { begin, end } = sliceOf(size, rank, ranks);
      const own = shapes.has(name)
        ? tensor1d(values.slice(begin, end), 'float32')
        : tensor(values, [...shape], 'float32');
      tensors.set(name, own);
    }
    const { state } = header;
    return trainer.restore({ state, tensors, ...(shapes.size > 0 ? { shapes } : {}) });
  } finally {
    dispose([...tensors.values()]);
  }
}
