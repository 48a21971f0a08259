import * as tf from '@tensorflow/tfjs-core';
import type { PreparedExperiment } from '../experiments/prepare.ts';
import type { Experiment, SettingSpecs } from '@multigrad/experiment';
import { gradientStatistics } from './gradient-statistics.ts';
import { lossLandscape } from './loss-landscape.ts';
import type { AnalysisRecord } from '../runs/analysis-records.ts';
import { numberSetting, type Settings } from '../runs/settings.ts';

/** What `multigrad analyze` lets a user set beside the settings of the experiment. */
export const analysisSettings: SettingSpecs = {
  batches: {
    kind: 'number',
    integer: true,
    minimum: 2,
    default: 32,
    description: 'Batches over which gradients at fixed weights are compared.',
  },
  grid: {
    kind: 'number',
    integer: true,
    minimum: 0,
    default: 11,
    description: 'Points along either direction of the loss landscape; fewer than 3: none.',
  },
  'landscape-size': {
    kind: 'number',
    integer: true,
    minimum: 1,
    default: 256,
    description: 'Training samples that losses of the landscape are means over.',
  },
};

/** An experiment with the settings of analyses beside its own. */
export function analyzed(experiment: Experiment): Experiment {
  return { ...experiment, settings: { ...experiment.settings, ...analysisSettings } };
}

/** Looks at a network before training and after each epoch. Training is the same with and without it. */
export type Inspect = (
  prepared: PreparedExperiment,
  epoch: number,
) => Promise<readonly AnalysisRecord[]>;

/** Makes the inspection that settings ask for: gradient statistics, and after the last epoch the loss landscape. */
export function inspector(settings: Settings, seed: number, signal: AbortSignal): Inspect {
  const epochs = numberSetting(settings, 'epochs');
  const grid = numberSetting(settings, 'grid');
  return async (prepared, epoch) => {
    if (signal.aborted) return [];
    // A forward pass in training mode moves the running statistics of normalisation layers.
    const kept = Array.from(
      prepared.statistics.values(),
      (variable) => [variable, variable.clone()] as const,
    );
    try {
      const records: AnalysisRecord[] = [
        await gradientStatistics(prepared, epoch, numberSetting(settings, 'batches')),
      ];
      for (const [variable, value] of kept) variable.assign(value);
      if (epoch === epochs && grid >= 3) {
        const samples = numberSetting(settings, 'landscape-size');
        const landscape = await lossLandscape(prepared, seed, grid, samples, signal);
        if (landscape !== null) records.push(landscape);
      }
      return records;
    } finally {
      for (const [variable, value] of kept) {
        variable.assign(value);
        tf.dispose(value);
      }
    }
  };
}
