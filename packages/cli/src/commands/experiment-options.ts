import { own } from '@multigrad/core/strategy';
import type { OptionSpec } from '@multigrad/core/strategy';
import { type Command, Option } from 'commander';
import type { PresetName, Recipe } from '../experiments/recipe.ts';
import { resolveSettings, settingSpecs } from '../experiments/settings.ts';
import type { ComparisonConfig, TrainingCommand } from '../runs/config.ts';
import type { Settings } from '../runs/settings.ts';
import { version } from '../shared/version.ts';
import type { Written } from './command.ts';
import type { Output } from './train-into-folder.ts';

const presetNames: readonly PresetName[] = ['quick', 'full'];

const folderNotes = `
Output folder: config.json; runs/<strategy>-seed<k>/ with epochs.jsonl, steps.jsonl, result.json and checkpoints; table.csv; table.md;
report.html. A folder of the same configuration is taken up again: its finished runs are kept, and further strategies and
seeds are added. Other settings are refused.

Strategies: see \`multigrad strategies\`. A comma before \`key=\` goes on with the options of the strategy before it:
  --strategies sum,mmpareto:gamma=2,rescale=tensor,mgda        three strategies
  --strategies sum --strategies mmpareto:gamma=2               the option may be repeated
Baselines: \`joint\` trains on the loss of all modalities alone, \`only-<objective>\` on that objective alone, and
\`scaled-sum:factor=1.5\` is the sum with a larger learning rate for what several objectives share.`;

function settingOption(name: string, spec: OptionSpec, { presets }: Recipe): Option {
  const placeholder = spec.kind === 'number' ? 'number' : 'name';
  const option = new Option(`--${name} <${placeholder}>`);
  const values = presetNames.map((preset) => own(presets[preset].settings, name));
  const fallback = 'default' in spec ? String(spec.default) : '';
  const [quick = fallback, full = fallback] = values.map((value) =>
    value === undefined ? undefined : String(value),
  );
  const choices = spec.kind === 'choice' ? ` One of ${spec.choices.join(', ')}.` : '';
  const shown = quick === full ? `default ${quick}` : `quick ${quick}, full ${full}`;
  option.description = `${spec.description}${choices} (${shown})`;
  return option;
}

/** Adds an option for each setting of an experiment, and the presets. */
export function addExperimentOptions(command: Command, recipe: Recipe): Command {
  for (const [name, spec] of Object.entries(settingSpecs(recipe)))
    command.addOption(settingOption(name, spec, recipe));
  for (const [name, description] of Object.entries(recipe.folders))
    command.option(`--${name} <folder>`, description);
  const presets = presetNames.map((name) => `${name}: ${recipe.presets[name].summary}`).join('; ');
  return command.addOption(
    new Option('--preset <name>', `${presets}.`).choices(presetNames).default('quick'),
  );
}

/** Adds the options of commands that train: an experiment's settings, and where results go. */
export function addTrainingOptions(command: Command, recipe: Recipe): Command {
  return addExperimentOptions(command, recipe)
    .option('--out <folder>', 'Output folder. (default runs/<experiment>-<date and time>)')
    .option('--force', 'Replace the results that the output folder holds.', false)
    .option(
      '--tensorboard',
      'Write TensorBoard event files too, into the folder of each run.',
      false,
    )
    .addHelpText('after', folderNotes);
}

/** What the user wrote for the settings, by flag name. */
function writtenSettings(recipe: Recipe, written: Written): Record<string, string> {
  const names = [...Object.keys(settingSpecs(recipe)), ...Object.keys(recipe.folders)];
  return Object.fromEntries(
    names.flatMap((name) => {
      const text = own(written, new Option(`--${name} <value>`).attributeName());
      return typeof text === 'string' ? [[name, text]] : [];
    }),
  );
}

/** The settings that the user asked for, those left out taken from the preset. */
export function settingsOf(recipe: Recipe, written: Written): Settings {
  return resolveSettings(recipe, written['preset'] as PresetName, writtenSettings(recipe, written));
}

function defaultFolder(recipe: Recipe): string {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  return `runs/${recipe.name}-${stamp}`;
}

/** What the user asked to be trained. */
export function configOf(
  command: TrainingCommand,
  recipe: Recipe,
  written: Written,
  { strategies, seeds }: Pick<ComparisonConfig, 'strategies' | 'seeds'>,
): ComparisonConfig {
  const settings = settingsOf(recipe, written);
  return { format: 1, version, command, recipe: recipe.name, strategies, seeds, settings };
}

/** Where the user wants results. */
export function outputOf(recipe: Recipe, written: Written): Output {
  return {
    out: (written['out'] as string | undefined) ?? defaultFolder(recipe),
    force: written['force'] === true,
    tensorboard: written['tensorboard'] === true,
  };
}
