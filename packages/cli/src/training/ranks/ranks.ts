import type { FitState, MultiObjectiveTrainer, TrainerOptions } from '@multigrad/core';
import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import type { PreparedExperiment } from '../../experiments/prepare.ts';
import type { ComparisonConfig } from '../../runs/config.ts';
import type { RunResult } from '../../runs/records.ts';
import type { RunCheckpoints } from '../checkpoints.ts';

/** The trainer of a run. */
export type RunTrainer = MultiObjectiveTrainer<NamedTensorMap, string>;

/** Where a trainer goes on. */
export interface Restored {
  /** Training steps that were done. */
  readonly step: number;
  /** For the option `resume` of `fit`. */
  readonly fit: FitState | null;
}

/** The batches of an epoch, from one of them on. */
export type RunBatches = (epoch: number, firstBatch?: number) => AsyncIterable<NamedTensorMap>;

/** Which run of the configuration the ranks train next; null for none. */
export type RunOrder = { readonly lr: number; readonly seed: number } | null;

/**
 * What a command asks of the ranks, the processes that train one network together. A process by itself is `solo`: nobody
 * outside of this folder asks whether there are several.
 *
 * Every rank makes the same calls in the same order.
 */
export interface Ranks {
  /** Number of this rank, from 0. */
  readonly rank: number;
  /** Whether this rank writes the output folder and prints. The others train what it orders. */
  readonly leads: boolean;
  /** Lines that tell the user who trains. */
  readonly introduction: readonly string[];
  /**
   * Checks that these ranks can train a configuration, and that all of them were asked for the same.
   *
   * @param folder - what paths of strategies are relative to
   * @throws MultigradError `unsupported` for more than one run, `invalid-option` for batches too small,
   *   `structure-changed` where ranks differ
   */
  check(config: ComparisonConfig, folder: string): Promise<void>;
  /**
   * Lets the leading rank tell the others what to train.
   *
   * @param order - on the leading rank; the others give null
   * @returns the order, on every rank
   */
  order(order: RunOrder): Promise<RunOrder>;
  /**
   * Checks that all ranks read the same data and compute on the same backend.
   *
   * @throws MultigradError `structure-changed` on every rank
   */
  checkData(prepared: PreparedExperiment, backend: string): Promise<void>;
  /** The options by which a trainer knows of the other ranks. */
  trainerOptions(
    prepared: PreparedExperiment,
  ): Pick<TrainerOptions<NamedTensorMap, string>, 'exchange' | 'synchronise'>;
  /** This rank's samples of every batch. */
  shard(batches: RunBatches): RunBatches;
  /** The signal that ends an evaluation early. Several ranks get one that never does: none may leave before the others. */
  evaluationSignal(signal: AbortSignal): AbortSignal;
  /**
   * Lets the trainers of all ranks go on from the newest checkpoint, which the leading rank reads.
   *
   * @returns null where there is none
   */
  restore(checkpoints: RunCheckpoints, trainer: RunTrainer): Promise<Restored | null>;
  /**
   * What the ranks exchanged, for the result of a run.
   *
   * @param steps - steps of the run since this process took it up
   * @param seconds - of the whole run
   */
  communication(steps: number, seconds: number): Pick<RunResult, 'communication'>;
  /** Lines that tell the user what was exchanged. */
  summary(result: RunResult): readonly string[];
}
