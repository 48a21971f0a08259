import { Command } from 'commander';
import { analyzed } from '../analysis/inspector.ts';
import { recipes } from '../experiments/index.ts';
import type { CommandContext } from './command.ts';
import { comparisonOf } from './compare.ts';

/** `multigrad analyze`: a comparison that looks at gradients and losses at fixed weights between epochs. */
export function analyzeCommand(context: CommandContext): Command {
  const command = new Command();
  for (const recipe of recipes) {
    command.addCommand(comparisonOf('analyze', analyzed(recipe), context));
  }
  return command;
}
