import { Tensor } from '@tensorflow/tfjs-core';
import {
  type FeatureObjectives,
  type ForwardResult,
  type Objectives,
  readForward,
} from './objectives.ts';
import { Tape } from '../tape/tape.ts';
import { youngestTensorId } from '../tape/tensor-age.ts';
import type { TensorBag } from '../tape/tensor-bag.ts';

/** Records the forward pass; what it returned goes into the bag, but for tensors that are older than it. */
export function recordForward(
  forward: () => Objectives | FeatureObjectives,
  bag: TensorBag,
  mayBeEmpty = false,
): Tape<ForwardResult> {
  const older = youngestTensorId();
  const tape = Tape.record(() => readForward(forward(), mayBeEmpty));
  const { objectives, features } = tape.value;
  const returned: Tensor[] = [
    ...objectives.flatMap(({ loss, metrics, samples }) => [
      loss,
      ...Object.values(metrics),
      ...(samples instanceof Tensor ? [samples] : []),
    ]),
    ...Object.values(features ?? {}),
  ];
  bag.keepAll(returned.filter(({ id }) => id > older));
  return tape;
}
