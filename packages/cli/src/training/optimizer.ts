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

/** The trainer's option for the learning rate over a run: none where it stays what the optimizer has. */
export function learningRateOf(
  settings: Settings,
  stepsPerEpoch: number,
): { readonly learningRate?: LearningRate } {
  if (textSetting(settings, 'schedule') !== 'cosine') return {};
  const steps = numberSetting(settings, 'epochs') * stepsPerEpoch;
  return { learningRate: cosineDecay({ rate: numberSetting(settings, 'lr'), steps }) };
}
