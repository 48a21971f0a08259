import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode, MultigradError } from '@multigrad/core/strategy';
import type { Numbers, Payload, Reduction } from '../communicator.ts';
import type { Patience } from './mesh.ts';
import type { Place } from './place.ts';

/** What the thread of a rank begins with. */
export interface ThreadData {
  readonly place: Place;
  readonly times: Patience;
  /** The thread's end of the channel to its rank. */
  readonly port: MessagePort;
}

/** A collective call, as the thread is asked for it. */
export type Asked = { readonly what: string } & (
  | { readonly name: 'allReduce'; readonly values: Numbers; readonly reduction: Reduction }
  | {
      readonly name: 'reduceScatter';
      readonly values: Float32Array;
      readonly counts: readonly number[];
    }
  | { readonly name: 'allToAll'; readonly values: Payload; readonly counts: readonly number[] }
  | { readonly name: 'allGather'; readonly values: Payload; readonly counts: readonly number[] }
  | { readonly name: 'broadcast'; readonly values: Payload; readonly root: number }
  | { readonly name: 'barrier' }
  | { readonly name: 'close' }
);

/** Memory through which a thread answers a caller that blocks. */
export interface Shared {
  /** One number: 0 while the call is under way, 1 for an answer, 2 for an error, whose text follows as a message. */
  readonly state: Int32Array;
  /** This rank's numbers in its place; the answer has those of all ranks. */
  readonly values: Float64Array;
}

/** From a rank to its thread. */
export type ToThread =
  | { readonly kind: 'call'; readonly asked: Asked }
  | {
      readonly kind: 'now';
      readonly shared: Shared;
      readonly what: string;
    }
  | { readonly kind: 'abort'; readonly exitCode: number; readonly state: Int32Array };

/** An error as a message. */
export interface ErrorText {
  readonly code: ErrorCode | null;
  readonly message: string;
}

/** From a thread to its rank. */
export type FromThread =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly values: Payload | null }
  | { readonly kind: 'error'; readonly error: ErrorText }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'aborted'; readonly exitCode: number; readonly rank: number };

/** An error for a message. */
export function errorText(error: unknown): ErrorText {
  const { code, message } = error as Partial<MultigradError>;
  return { code: code ?? null, message: message ?? String(error) };
}
