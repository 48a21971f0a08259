import type { Command } from 'commander';
import { analyzed } from '../analysis/inspector.ts';
import type { CommandContext } from './command.ts';
import { comparisonOf } from './compare.ts';
import { perExperiment } from './per-experiment.ts';

/** `multigrad analyze`: a comparison that looks at gradients and losses at fixed weights between epochs. */
export function analyzeCommand(context: CommandContext): Command {
  return perExperiment(context, (experiment) =>
    comparisonOf('analyze', analyzed(experiment), context),
  );
}
