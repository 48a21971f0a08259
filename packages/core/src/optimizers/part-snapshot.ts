import type { Tensor } from '@tensorflow/tfjs-core';
import type { Json } from '../base/json.ts';

/** What a part of training remembers: numbers as plain JSON, tensors by name. */
export interface PartSnapshot {
  readonly values: Json;
  /** They stay the part's, and change with the next step. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}
