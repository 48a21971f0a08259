import type { StepNumbers } from './numbers.ts';
import {
  type FeatureObjectives,
  type ForwardResult,
  type Objectives,
  readForward,
} from './objectives.ts';
import type { ObservedGraph } from './observe-graph.ts';
import type { TensorBag } from '../tape/ownership.ts';
import { youngestTensorId } from '../tape/tape-internals.ts';
import { Tape } from '../tape/tape.ts';
import { Tensor } from '@tensorflow/tfjs-core';

/** One recorded forward pass of this rank. */
export interface OwnPass {
  readonly tape: Tape<ForwardResult>;
  readonly graph: ObservedGraph;
  /** Samples in its batch. */
  readonly samples: number;
}

/** One recorded forward pass as all ranks together see it; the tape is this rank's. */
export interface Pass {
  readonly tape: Tape<ForwardResult>;
  /** Which objectives are present on any rank, and what they reach; features are this rank's own. */
  readonly graph: ObservedGraph;
  /** Losses and metrics, means over all ranks' samples; null where they are still to be read from the tape's tensors. */
  readonly numbers: StepNumbers | null;
  /** This rank's part of an objective's samples, 0 … 1; 0 where it has none. */
  readonly shareOf: (objective: string) => number;
  /**
   * Whether this rank makes a backward pass of an objective. Without samples of it the gradient is zero, whatever the loss of no
   * samples is; only where layers add up over the ranks within the pass every rank has to make it.
   */
  readonly sweeps: (objective: string) => boolean;
  /** An objective of which a rank has no sample, and that rank; null where every rank has all objectives. */
  readonly missing: { readonly objective: string; readonly rank: number } | null;
}

/** The pass of a process that trains alone. */
export function passAlone({ tape, graph }: OwnPass): Pass {
  return { tape, graph, numbers: null, shareOf: () => 1, sweeps: () => true, missing: null };
}

/** Records the forward pass; tensors that it returned go into the bag, except those that existed before. */
export function recordForward(
  forward: () => Objectives | FeatureObjectives,
  bag: TensorBag,
  mayBeEmpty = false,
): Tape<ForwardResult> {
  const older = youngestTensorId();
  const tape = Tape.record(() => readForward(forward(), mayBeEmpty));
  const { objectives, features } = tape.value;
  const returned: Tensor[] = [
    ...objectives.flatMap(({ loss, metrics, samples, losses }) => [
      loss,
      ...(losses === null ? [] : [losses]),
      ...Object.values(metrics),
      ...(samples instanceof Tensor ? [samples] : []),
    ]),
    ...Object.values(features ?? {}),
  ];
  bag.keepAll(returned.filter(({ id }) => id > older));
  return tape;
}
