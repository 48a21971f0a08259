import { own } from '@multigrad/core/strategy';
import { type Command, Option } from 'commander';
import type { Experiment, SettingSpec } from '@multigrad/experiment';
import { defaultPreset, resolveSettings, settingSpecs } from '../experiments/settings.ts';
import type { ComparisonConfig, TrainingCommand } from '../runs/config.ts';
import type { Settings } from '../runs/settings.ts';
import { version } from '../shared/version.ts';
import type { Written } from './command.ts';
import type { Output } from './train-into-folder.ts';

const folderNotes = `
Output folder: config.json; runs/<strategy>-seed<k>/ with epochs.jsonl, steps.jsonl, result.json and checkpoints; table.csv; table.md;
report.html. A folder of the same configuration is taken up again: its finished runs are kept, and further strategies and
seeds are added. Other settings are refused.

Strategies: see \`multigrad strategies\`. A comma before \`key=\` goes on with the options of the strategy before it:
  --strategies sum,mmpareto:gamma=2,rescale=tensor,mgda        three strategies
  --strategies sum --strategies mmpareto:gamma=2               the option may be repeated
Balancing methods: see \`multigrad balancing\`. Each is trained with each strategy, and named behind a plus in folders and tables: sum+ogm-ge.
  --strategies sum,mmpareto --balance none,ogm-ge:alpha=0.3    four runs for each seed
Baselines: \`joint\` trains on the loss of all modalities alone, \`only-<objective>\` on that objective alone, and
\`scaled-sum:factor=1.5\` is the sum with a larger learning rate for what several objectives share.`;

const placeholders = { number: 'number', choice: 'name', boolean: 'true|false', path: 'path' };

function settingOption(name: string, spec: SettingSpec, { presets }: Experiment): Option {
  const option = new Option(`--${name} <${placeholders[spec.kind]}>`);
  option.description = spec.description;
  if (spec.kind === 'choice') option.description += ` One of ${spec.choices.join(', ')}.`;
  const fallback = spec.kind === 'path' ? '' : String(spec.default);
  const values = Object.entries(presets).map(
    ([preset, { settings }]) => [preset, String(own(settings, name) ?? fallback)] as const,
  );
  const [[, first]] = values as [(typeof values)[number]];
  const shown = values.every(([, value]) => value === first)
    ? `default ${first}`
    : values.map(([preset, value]) => `${preset} ${value}`).join(', ');
  if (spec.kind !== 'path' || first !== '') option.description += ` (${shown})`;
  return option;
}

/** The settings of an experiment, paths last. */
function shownSettings(experiment: Experiment): [string, SettingSpec][] {
  const all = Object.entries(settingSpecs(experiment));
  const isPath = ([, { kind }]: readonly [string, SettingSpec]): boolean => kind === 'path';
  return [...all.filter((entry) => !isPath(entry)), ...all.filter(isPath)];
}

/** Adds an option for each setting of an experiment, and the presets. */
export function addExperimentOptions(command: Command, experiment: Experiment): Command {
  for (const [name, spec] of shownSettings(experiment))
    command.addOption(settingOption(name, spec, experiment));
  const presets = Object.entries(experiment.presets);
  const described = presets.map(([name, { summary }]) => `${name}: ${summary}`).join('; ');
  return command.addOption(
    new Option('--preset <name>', `${described}.`)
      .choices(presets.map(([name]) => name))
      .default(defaultPreset(experiment)),
  );
}

/** The option that turns plans of backward passes off. */
export function compileOption(): Option {
  return new Option(
    '--no-compile',
    'Make every backward pass with the bookkeeping of TensorFlow.js. Slower; the weights are the same.',
  );
}

/** Adds the options of commands that train: an experiment's settings, and where results go. */
export function addTrainingOptions(command: Command, experiment: Experiment): Command {
  return addExperimentOptions(command, experiment)
    .option('--out <folder>', 'Output folder. (default runs/<experiment>-<date and time>)')
    .option('--force', 'Replace the results that the output folder holds.', false)
    .option(
      '--tensorboard',
      'Write TensorBoard event files too, into the folder of each run.',
      false,
    )
    .addOption(compileOption())
    .addHelpText('after', folderNotes);
}

/** What the user wrote for the settings, by flag name. */
function writtenSettings(experiment: Experiment, written: Written): Record<string, string> {
  return Object.fromEntries(
    Object.keys(settingSpecs(experiment)).flatMap((name) => {
      const text = own(written, new Option(`--${name} <value>`).attributeName());
      return typeof text === 'string' ? [[name, text]] : [];
    }),
  );
}

/** The settings that the user asked for, those left out taken from the preset. */
export function settingsOf(experiment: Experiment, written: Written): Settings {
  return resolveSettings(
    experiment,
    written['preset'] as string,
    writtenSettings(experiment, written),
  );
}

function defaultFolder(experiment: Experiment): string {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  return `runs/${experiment.name}-${stamp}`;
}

/** What the user asked to be trained. */
export function configOf(
  command: TrainingCommand,
  experiment: Experiment,
  written: Written,
  { strategies, seeds }: Pick<ComparisonConfig, 'strategies' | 'seeds'>,
): ComparisonConfig {
  const settings = settingsOf(experiment, written);
  return { format: 1, version, command, experiment: experiment.name, strategies, seeds, settings };
}

/** Where the user wants results. */
export function outputOf(experiment: Experiment, written: Written): Output {
  return {
    out: (written['out'] as string | undefined) ?? defaultFolder(experiment),
    force: written['force'] === true,
    tensorboard: written['tensorboard'] === true,
    compile: written['compile'] !== false,
  };
}
