import {
  cosineDecay,
  fusedAdam,
  fusedMomentum,
  type FusedOptimizer,
  type LearningRate,
  type NamedVariables,
} from '@multigrad/core';
import { numberSetting, type Settings, textSetting } from '../runs/settings.ts';

/** The optimizer that a run's settings name. */
export function optimizerOf(settings: Settings, variables: NamedVariables): FusedOptimizer {
  const learningRate = numberSetting(settings, 'lr');
  return textSetting(settings, 'optimizer') === 'adam'
    ? fusedAdam(variables, { learningRate })
    : fusedMomentum(variables, { learningRate, momentum: numberSetting(settings, 'momentum') });
}

/** Where in a run the next step is. */
export interface Place {
  /** Number of the epoch, from 0. */
  readonly epoch: number;
  /** Number of the step in its epoch, from 0. */
  readonly step: number;
  /** Steps of this epoch. */
  readonly steps: number;
}

/**
 * The trainer's option for the learning rate over a run: none where it stays what the optimizer has. The schedule goes by
 * epochs: one with more steps than the others, as a balancing method may draw it, does not bring the end nearer.
 *
 * @param stepsPerEpoch - steps of an epoch of all samples once
 * @param place - where the next step is
 */
export function learningRateOf(
  settings: Settings,
  stepsPerEpoch: number,
  place: () => Place,
): { readonly learningRate?: LearningRate } {
  if (textSetting(settings, 'schedule') !== 'cosine') return {};
  const rate = cosineDecay({
    rate: numberSetting(settings, 'lr'),
    steps: numberSetting(settings, 'epochs') * stepsPerEpoch,
  });
  return {
    learningRate: () => {
      const { epoch, step, steps } = place();
      return rate(epoch * stepsPerEpoch + (step * stepsPerEpoch) / steps);
    },
  };
}
