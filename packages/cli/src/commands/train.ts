import { MultigradError } from '@multigrad/core/strategy';
import { Command } from 'commander';
import { recipes } from '../experiments/index.ts';
import type { Recipe } from '../experiments/recipe.ts';
import { learningRates } from '../runs/settings.ts';
import type { CommandContext, Written } from './command.ts';
import { addTrainingOptions, requestOf } from './experiment-options.ts';
import { runRequest } from './run-request.ts';
import { wholeNumber } from './whole-number.ts';

/** `multigrad train`: trains one strategy once. */
export function trainCommand(context: CommandContext): Command {
  const command = new Command();
  for (const recipe of recipes) command.addCommand(trainingOf(recipe, context));
  return command;
}

function trainingOf(recipe: Recipe, { environment, done }: CommandContext): Command {
  const command = new Command(recipe.name)
    .description(`${recipe.title}: ${recipe.summary}`)
    .requiredOption('--strategy <specifier>', 'Strategy, as in mmpareto:gamma=2,rescale=tensor.')
    .option('--seed <number>', 'Seed of data, weights and order.', '0');
  return addTrainingOptions(command, recipe).action(async (written: Written) => {
    const seed = wholeNumber(recipe.name, 'seed', written['seed'] as string, 0);
    const asked = requestOf(recipe, written, [written['strategy'] as string], [seed]);
    if (learningRates(asked.settings).length > 1) {
      throw new MultigradError(
        'invalid-option',
        `Option \`lr\` of \`train\` should be one learning rate; several are for \`compare\`. Found "${asked.settings['lr']!}".`,
      );
    }
    done(await runRequest(asked, environment));
  });
}
