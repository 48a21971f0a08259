import type { Tensor } from '@tensorflow/tfjs-core';
import type { IntegrationState } from '../network/integration-state.ts';
import type { Json } from '../base/json.ts';
import type { LossScaleState } from './loss-scale.ts';

/** The position of a `fit` between two steps: plain JSON, from which another `fit` resumes. */
export interface FitState {
  /** Number of the epoch under way, from 0; between two epochs, of the next one. */
  readonly epoch: number;
  /** Steps of that epoch that are done. */
  readonly batch: number;
  /** Steps of that epoch that were skipped. */
  readonly skipped: number;
  /** Sums of the losses and metrics of those steps. */
  readonly measurements: Json;
  /** The history so far. */
  readonly history: Json;
  /** States of the callbacks, by name. */
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
  /** Variable and objective of each memory vector, in the order of the tensors `memory/0`, `memory/1`, …. */
  readonly memory: readonly { readonly variable: string; readonly objective: string }[];
  /** Names of variables that are not trained. */
  readonly frozen: readonly string[];
  readonly optimizer: { readonly kind: string; readonly values: Json };
  /** Number of steps that the averages of weights include; 0 where none are kept. */
  readonly averagedSteps: number;
  /** State of the loss scale; absent where losses are not scaled. */
  readonly lossScale?: LossScaleState;
  /** How many steps in a row were skipped just before the snapshot; absent where none was. */
  readonly skips?: number;
  /** Null where no `fit` is under way. */
  readonly fit: FitState | null;
}

/**
 * Everything that training carries from one step to the next: a trainer that restores it continues bit for bit.
 *
 * The tensors are named `weights/…`, `statistics/…`, `optimizer/…`, `average/…` and `memory/…`. Those of a new snapshot
 * are the trainer's own, and change with the next step: read or copy them before.
 */
export interface TrainerSnapshot {
  readonly state: TrainerState;
  readonly tensors: ReadonlyMap<string, Tensor>;
  /**
   * For each tensor that is this rank's slice, flat, the shape of the whole tensor: the slices of all ranks, one after the
   * other, are its numbers. A rank lacks those of its slices that are empty. Absent where all tensors are whole.
   */
  readonly shapes?: ReadonlyMap<string, readonly number[]>;
}

/** What a snapshot of several ranks holds. */
export interface SnapshotOptions {
  /**
   * Whether each rank keeps its own slices of slots, averages and memory, instead of gathering those of all ranks: no rank
   * ever holds the whole of them. A process by itself has everything whole in either case. @defaultValue false
   */
  readonly slices?: boolean;
  /**
   * Whether every rank gets the whole of slots, averages and memory, as for a `restore` on each of them: it needs the memory for
   * all on every rank. @defaultValue false: rank 0 alone
   */
  readonly everywhere?: boolean;
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
