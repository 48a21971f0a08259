import { requireExperiment } from '../experiments/index.ts';
import type { Experiment } from '@multigrad/experiment';
import type { ComparisonConfig } from '../runs/config.ts';
import { analyzed } from './inspector.ts';

/**
 * The experiment that a configuration names; with the settings of analyses, where it is of one.
 *
 * @throws MultigradError `invalid-argument` where this version has no experiment of the name
 */
export function experimentOf({ command, experiment }: ComparisonConfig): Experiment {
  const found = requireExperiment(experiment);
  return command === 'analyze' ? analyzed(found) : found;
}
