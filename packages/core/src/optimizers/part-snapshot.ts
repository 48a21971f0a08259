import type { Tensor } from '@tensorflow/tfjs-core';
import type { Json } from '../base/json.ts';

/** The state of a part of training: plain JSON, and tensors by name. */
export interface PartSnapshot {
  readonly values: Json;
  /** The tensors are owned by that part, and change with its next step. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}
