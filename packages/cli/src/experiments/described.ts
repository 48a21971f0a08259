import type { ComparisonConfig, ExperimentDescription } from '../runs/config.ts';
import { findExperiment } from './index.ts';

/** What is known of a configuration's experiment; undefined for one of another version of the program. */
export function describedExperiment(config: ComparisonConfig): ExperimentDescription | undefined {
  return config.description ?? findExperiment(config.experiment);
}
