import { resolve } from 'node:path';
import {
  MultigradError,
  type OptionSpec,
  type StrategyPlugin,
  optionsFromText,
} from '@multigrad/core/strategy';
import { Command, Option } from 'commander';
import { analysisSettings } from './analysis/inspector.ts';
import { check } from './commands/check.ts';
import { citations } from './commands/cite.ts';
import { type CompareRequest, compare } from './commands/compare.ts';
import { exitCodes } from './commands/exit-codes.ts';
import { nativeCommand } from './commands/native.ts';
import { resultLines, writeOutputs } from './commands/outputs.ts';
import { resume } from './commands/resume.ts';
import { strategiesPage } from './commands/strategies-page.ts';
import { strategiesJson, strategiesText } from './commands/strategies.ts';
import type { Environment } from './environment.ts';
import { recipes } from './recipes/index.ts';
import type { PresetName, Recipe } from './recipes/recipe.ts';
import { learningRates, resolveSettings, settingSpecs } from './recipes/settings.ts';
import type { Settings } from './runs/config.ts';
import { collectSpecifiers } from './strategies/split-specifiers.ts';
import { builtinPlugins } from './strategies/builtin.ts';
import { expandAll, findPlugins, recipePlugins } from './strategies/catalog.ts';
import { version } from './version.ts';

const presetNames: readonly PresetName[] = ['quick', 'full'];

const examples = `
Examples:
  multigrad compare cg-mnist --preset quick --out runs/first
      five strategies on a few digits, in minutes
  multigrad compare cg-mnist --preset full --seeds 3 --out runs/full
      the same, measured properly
  multigrad compare cg-mnist --strategies sum,mmpareto:gamma=2,rescale=tensor,./mine.js
      three strategies: sum, MMPareto with two options, and a file of your own
  multigrad train cg-mnist --strategy pcgrad --seed 1 --epochs 2
      one run
  multigrad watch runs/first
      a live page of a folder while it is written
  multigrad analyze cg-mnist --strategies sum,mmpareto --out runs/analysis
      sizes, angles and noise of gradients at fixed weights, and the loss landscape
  multigrad resume runs/full
      go on where it was stopped or killed, from the newest checkpoints
  multigrad export runs/full/runs/sum-seed0 --to exported
      the trained network, for TensorFlow.js and for Python
  multigrad check cg-mnist
      gradients beside finite differences, for a network or a backend of one's own
  multigrad report runs/first
      tables and report anew from the files
  multigrad cite mmpareto pcgrad
      BibTeX of the papers; without a name, of multigrad itself
  multigrad doctor
      which backends are there, do they compute right, how fast, and how to get a faster one
  multigrad native install
      native TensorFlow, for faster training

Exit codes: 0 success, 1 a run or a file failed, 2 a mistake on the command line, 130 interrupted (Ctrl-C finishes the step
and saves; twice leaves at once; resume goes on).`;

const folderNotes = `
Output folder: config.json; runs/<strategy>-seed<k>/ with epochs.jsonl, steps.jsonl, result.json and checkpoints; table.csv; table.md;
report.html. A folder of the same configuration is taken up again: its finished runs are kept, and further strategies and
seeds are added. Other settings are refused.

Strategies: see \`multigrad strategies\`. A comma before \`key=\` goes on with the options of the strategy before it:
  --strategies sum,mmpareto:gamma=2,rescale=tensor,mgda        three strategies
  --strategies sum --strategies mmpareto:gamma=2               the option may be repeated
Baselines: \`joint\` trains on the loss of all modalities alone, \`only-<objective>\` on that objective alone, and
\`scaled-sum:factor=1.5\` is the sum with a larger learning rate for what several objectives share.`;

/** What commander hands an action: what the user wrote, by attribute name. */
type Written = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

function settingOption(name: string, spec: OptionSpec, { presets }: Recipe): Option {
  const placeholder = spec.kind === 'number' ? 'number' : 'name';
  const option = new Option(`--${name} <${placeholder}>`);
  const values = presetNames.map((preset) => presets[preset].settings[name]);
  const fallback = 'default' in spec ? String(spec.default) : '';
  const [quick = fallback, full = fallback] = values.map((value) =>
    value === undefined ? undefined : String(value),
  );
  const choices = spec.kind === 'choice' ? ` One of ${spec.choices.join(', ')}.` : '';
  const shown = quick === full ? `default ${quick}` : `quick ${quick}, full ${full}`;
  option.description = `${spec.description}${choices} (${shown})`;
  return option;
}

function addExperiment(command: Command, recipe: Recipe): Command {
  for (const [name, spec] of Object.entries(settingSpecs(recipe)))
    command.addOption(settingOption(name, spec, recipe));
  for (const [name, description] of Object.entries(recipe.folders))
    command.option(`--${name} <folder>`, description);
  const presets = presetNames.map((name) => `${name}: ${recipe.presets[name].summary}`).join('; ');
  return command.addOption(
    new Option('--preset <name>', `${presets}.`).choices(presetNames).default('quick'),
  );
}

function addSettings(command: Command, recipe: Recipe): Command {
  return addExperiment(command, recipe)
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
  const texts: Record<string, string> = {};
  for (const name of [...Object.keys(settingSpecs(recipe)), ...Object.keys(recipe.folders)]) {
    const text = written[new Option(`--${name} <value>`).attributeName()];
    if (typeof text === 'string') texts[name] = text;
  }
  return texts;
}

/** @param owner - the recipe or the command that the option belongs to, for messages */
function wholeNumber(
  owner: string,
  name: string,
  text: string,
  minimum: number,
  maximum?: number,
): number {
  const spec: OptionSpec = {
    kind: 'number',
    integer: true,
    minimum,
    ...(maximum === undefined ? {} : { maximum }),
    default: minimum,
    description: name,
  };
  return (optionsFromText(owner, { [name]: spec }, { [name]: text }) as Record<string, number>)[
    name
  ]!;
}

function defaultFolder(recipe: Recipe): string {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  return `runs/${recipe.name}-${stamp}`;
}

function request(
  recipe: Recipe,
  written: Written,
  strategies: readonly string[],
  seeds: readonly number[],
  analyze = false,
): CompareRequest {
  return {
    recipe,
    strategies,
    seeds,
    settings: resolveSettings(
      recipe,
      written['preset'] as PresetName,
      writtenSettings(recipe, written),
    ),
    out: (written['out'] as string | undefined) ?? defaultFolder(recipe),
    force: written['force'] === true,
    analyze,
    tensorboard: written['tensorboard'] === true,
  };
}

const append = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];

/** @param analyze - whether networks are looked at between epochs */
function compareCommand(
  recipe: Recipe,
  run: (request: CompareRequest) => Promise<void>,
  analyze = false,
): Command {
  const strategies = analyze ? ['sum', 'mmpareto'] : recipe.strategies;
  const command = new Command(recipe.name)
    .description(`${recipe.title}: ${recipe.summary}`)
    .addOption(
      new Option(
        '--strategies <list>',
        `Strategies, separated by commas; all for every one that is installed. (default ${strategies.join(',')})`,
      ).argParser(append),
    )
    .option(
      '--seeds <number>',
      `Number of seeds, from 0 on. (quick ${recipe.presets.quick.seeds}, full ${recipe.presets.full.seeds})`,
    );
  return addSettings(command, recipe).action(async (written: Written) => {
    const lists = written['strategies'] as readonly string[] | undefined;
    const seeds = written['seeds'] as string | undefined;
    const preset = recipe.presets[written['preset'] as PresetName];
    const count = seeds === undefined ? preset.seeds : wholeNumber(recipe.name, 'seeds', seeds, 1);
    await run(
      request(
        recipe,
        written,
        lists ? expandAll(collectSpecifiers(lists)) : strategies,
        Array.from({ length: count }, (_, seed) => seed),
        analyze,
      ),
    );
  });
}

function trainCommand(recipe: Recipe, run: (request: CompareRequest) => Promise<void>): Command {
  const command = new Command(recipe.name)
    .description(`${recipe.title}: ${recipe.summary}`)
    .requiredOption('--strategy <specifier>', 'Strategy, as in mmpareto:gamma=2,rescale=tensor.')
    .option('--seed <number>', 'Seed of data, weights and order.', '0');
  return addSettings(command, recipe).action(async (written: Written) => {
    const seed = wholeNumber(recipe.name, 'seed', written['seed'] as string, 0);
    const asked = request(recipe, written, [written['strategy'] as string], [seed]);
    if (learningRates(asked.settings).length > 1) {
      throw new MultigradError(
        'invalid-option',
        `Option \`lr\` of \`train\` should be one learning rate; several are for \`compare\`. Found "${asked.settings['lr']!}".`,
      );
    }
    await run(asked);
  });
}

function checkCommand(
  recipe: Recipe,
  run: (recipe: Recipe, settings: Settings, seed: number, samples: number) => Promise<void>,
): Command {
  const command = new Command(recipe.name)
    .description(`${recipe.title}: its gradients beside finite differences.`)
    .option('--samples <number>', 'Entries of each variable that are tried.', '2')
    .option('--seed <number>', 'Seed of data, weights, order and entries.', '0');
  return addExperiment(command, recipe).action(async (written: Written) => {
    const seed = wholeNumber(recipe.name, 'seed', written['seed'] as string, 0);
    const samples = wholeNumber(recipe.name, 'samples', written['samples'] as string, 1);
    await run(recipe, request(recipe, written, [], []).settings, seed, samples);
  });
}

/** The strategies to list: the baselines of the recipes, then what is installed, each name once. */
function listedPlugins(): StrategyPlugin[] {
  const plugins = new Map<string, StrategyPlugin>();
  for (const plugin of recipes.flatMap(recipePlugins)) {
    if (!plugins.has(plugin.name)) plugins.set(plugin.name, plugin);
  }
  return [...plugins.values()];
}

/**
 * The `multigrad` command with all its subcommands.
 *
 * @param done - takes the exit code of the command that ran
 */
export function createProgram(environment: Environment, done: (exitCode: number) => void): Command {
  const { print, folder } = environment;
  const run = async (asked: CompareRequest): Promise<void> =>
    done(await compare(asked, environment));
  const program = new Command('multigrad')
    .description(
      'Trains neural networks with several objectives and compares how their gradients are put together.',
    )
    .version(version)
    .addHelpText('after', examples);
  const comparing = new Command('compare').description(
    'Train several strategies on one experiment and compare them.',
  );
  const training = new Command('train').description('Train one strategy once.');
  const analyzing = new Command('analyze').description(
    'Train strategies as compare does, and look at gradients and losses at fixed weights on the way.',
  );
  const checking = new Command('check').description(
    'Compare the gradients of an experiment with finite differences, at a sample of each variable.',
  );
  for (const recipe of recipes) {
    checking.addCommand(
      checkCommand(recipe, async (...asked) => done(await check(...asked, environment))),
    );
    const looked = { ...recipe, settings: { ...recipe.settings, ...analysisSettings } };
    analyzing.addCommand(compareCommand(looked, run, true));
    comparing.addCommand(compareCommand(recipe, run));
    training.addCommand(trainCommand(recipe, run));
  }
  program.addCommand(comparing).addCommand(training).addCommand(analyzing).addCommand(checking);
  program
    .command('strategies')
    .description('List the strategies, with their papers and options.')
    .addOption(new Option('--json', 'For programs.').conflicts('markdown'))
    .option('--markdown', 'As a page with tables, of the strategies that come with the program.')
    .action(({ json, markdown }: { readonly json?: true; readonly markdown?: true }) => {
      if (json) print(strategiesJson(listedPlugins()));
      else print(markdown ? strategiesPage(builtinPlugins) : strategiesText(listedPlugins()));
      done(exitCodes.success);
    });
  program
    .command('cite')
    .description(
      'Print BibTeX: of the papers that strategies come from, of multigrad itself where none is named.',
    )
    .argument('[strategies...]', 'Strategies, as in compare; separated by spaces or commas.')
    .option('--all', 'multigrad and every strategy that is installed.', false)
    .action(async (given: readonly string[], { all }: { readonly all: boolean }) => {
      if (all && given.length > 0)
        throw new MultigradError(
          'invalid-option',
          `\`cite --all\` takes no strategies, since it cites them all. Found ${given.join(' ')}.`,
        );
      const found = await findPlugins(listedPlugins(), collectSpecifiers(given), folder);
      const plugins = all ? builtinPlugins : found.map(({ plugin }) => plugin);
      print(citations(plugins, all || given.length === 0));
      done(exitCodes.success);
    });
  program
    .command('report')
    .description('Write tables and report of an output folder anew from its files.')
    .argument('<folder>', 'Output folder of compare or train.')
    .action(async (given: string) => {
      for (const line of resultLines(given, await writeOutputs(resolve(folder, given), given)))
        print(line);
      done(exitCodes.success);
    });
  program
    .command('resume')
    .description(
      'Go on with an output folder: finished runs stay, others go on from their newest checkpoint.',
    )
    .argument('<folder>', 'Output folder of compare or train.')
    .option(
      '--tensorboard',
      'Write TensorBoard event files; runs that have some go on with them anyway.',
      false,
    )
    .action(async (given: string, { tensorboard }: { readonly tensorboard: boolean }) =>
      done(await resume(given, tensorboard, environment)),
    );
  program
    .command('export')
    .description(
      'Write the trained network of a run as TensorFlow.js models and as safetensors, from its newest checkpoint.',
    )
    .argument(
      '<run>',
      'Folder of a run, as in runs/mine/runs/sum-seed0, or an output folder of one run.',
    )
    .requiredOption('--to <folder>', 'Folder to write to; new or empty.')
    .action(async (given: string, { to }: { readonly to: string }) => {
      const { exportRun } = await import('./commands/export.ts');
      done(await exportRun(given, to, environment));
    });
  program
    .command('watch')
    .description(
      'Show a live page of an output folder, in a browser on this machine, until Ctrl-C.',
    )
    .argument('<folder>', 'Output folder of compare or train, which may be writing it.')
    .option('--port <number>', 'Port of the page; 0 for one that is free.', '0')
    .action(async (given: string, { port }: { readonly port: string }) => {
      // The chart library takes longer to load than most commands take to run.
      const { watch } = await import('./commands/watch.ts');
      done(await watch(given, wholeNumber('watch', 'port', port, 0, 65_535), environment));
    });
  program
    .command('doctor')
    .description('Show the backends that are there, test them, and say how to get a faster one.')
    .option('--json', 'For programs.', false)
    .action(async ({ json }: { readonly json: boolean }) => {
      const { doctor } = await import('./commands/doctor.ts');
      done(await doctor(json, environment));
    });
  program.addCommand(nativeCommand(environment, done));
  return program;
}
