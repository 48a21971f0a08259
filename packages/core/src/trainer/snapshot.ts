import type { Tensor } from '@tensorflow/tfjs-core';
import type { IntegrationState } from '../network/integration-state.ts';
import type { Json } from '../base/json.ts';
import type { LossScaleState } from './loss-scale.ts';

/** Where a `fit` stands between two steps: plain JSON, from which another `fit` goes on. */
export interface FitState {
  /** Number of the epoch under way, from 0, or of the next one between two. */
  readonly epoch: number;
  /** Steps of that epoch that are done. */
  readonly batch: number;
  /** Those among them that were skipped. */
  readonly skipped: number;
  /** Sums of what those steps measured. */
  readonly measurements: Json;
  /** The history so far. */
  readonly history: Json;
  /** What callbacks remember, by their names. */
  readonly callbacks: Readonly<Record<string, Json>>;
  /** Present where a callback decided that training is over: a `fit` that resumes from here makes no more steps. */
  readonly over?: true;
}

/** The part of a snapshot that is plain JSON. */
export interface TrainerState {
  /** Version of this record. */
  readonly format: 1;
  /** Number of the next step. */
  readonly step: number;
  /** Null before the first step. */
  readonly integration: IntegrationState | null;
  /** Whose the tensors `memory/0`, `memory/1`, … are. */
  readonly memory: readonly { readonly variable: string; readonly objective: string }[];
  /** Names of variables that are not trained. */
  readonly frozen: readonly string[];
  readonly optimizer: { readonly kind: string; readonly values: Json };
  /** Steps that the averages of weights look back on; 0 where none are kept. */
  readonly averagedSteps: number;
  /** Only where losses are scaled. */
  readonly lossScale?: LossScaleState;
  /** How many steps in a row were skipped just before the snapshot; absent where none was. */
  readonly skips?: number;
  /** Null where no `fit` is under way. */
  readonly fit: FitState | null;
}

/**
 * Everything that training carries from one step to the next: a trainer that takes it over goes on bit for bit.
 *
 * The tensors are named `weights/…`, `statistics/…`, `optimizer/…`, `average/…` and `memory/…`. Of a snapshot just made they are the
 * trainer's own, and change with the next step: read them before.
 */
export interface TrainerSnapshot {
  readonly state: TrainerState;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Tensors below a prefix, under the rest of their names. */
export function tensorsBelow(
  prefix: string,
  tensors: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, Tensor> {
  return new Map(
    Array.from(tensors)
      .filter(([name]) => name.startsWith(`${prefix}/`))
      .map(([name, tensor]) => [name.slice(prefix.length + 1), tensor]),
  );
}

/** Tensors of several kinds in one record, each under its kind. */
export function tensorsUnder(
  parts: Readonly<Record<string, ReadonlyMap<string, Tensor>>>,
): ReadonlyMap<string, Tensor> {
  return new Map(
    Object.entries(parts).flatMap(([prefix, tensors]) =>
      Array.from(tensors, ([name, tensor]) => [`${prefix}/${name}`, tensor] as const),
    ),
  );
}
