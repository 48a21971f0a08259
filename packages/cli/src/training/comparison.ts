import type { Experiment } from '@multigrad/experiment';
import type { ComparisonConfig } from '../runs/config.ts';
import type { ChosenStrategy } from '../strategies/catalog.ts';

/** A configuration that is ready to be trained: the experiment and the strategies that it names are found and checked. */
export interface Comparison {
  readonly config: ComparisonConfig;
  readonly experiment: Experiment;
  /** In the order of the configuration. */
  readonly strategies: readonly ChosenStrategy[];
}
