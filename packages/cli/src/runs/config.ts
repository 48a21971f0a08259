import { MultigradError } from '@multigrad/core/strategy';
import type { Experiment } from '@multigrad/experiment';
import { withLaterSettings } from './later-settings.ts';
import { learningRates, type Settings } from './settings.ts';
import {
  assertShape,
  byName,
  count,
  fields,
  list,
  oneOf,
  orNull,
  type Shape,
  dependent,
  shape,
  text,
} from './shape.ts';

/** The most runs that a comparison may have: each has a folder and a line of a table. */
const mostRuns = 100_000;

/** The commands that train. An analysis has settings of its own; the other two go on in each other's folders. */
const trainingCommands = ['compare', 'train', 'analyze', 'front'] as const;

/** A command that trains. */
export type TrainingCommand = (typeof trainingCommands)[number];

/**
 * What is to be run: all that decides what a comparison measures. The command line makes it, the trainer gets it, and
 * `config.json` keeps it.
 */
export interface ComparisonConfig {
  /** Version of this file's format. */
  readonly format: 1;
  /** Version of the program. */
  readonly version: string;
  /** The command that made the folder. */
  readonly command: TrainingCommand;
  /** Name of the experiment. */
  readonly experiment: string;
  /** Labels of strategies, with balancing methods where there are any (`parseRunLabel`), in the order of the tables. */
  readonly strategies: readonly string[];
  /**
   * Titles of the strategies that do not come with the program, by specifier: a report is written without loading their
   * code. Absent where there are none.
   */
  readonly titles?: Readonly<Record<string, string>>;
  /**
   * Of a front the direction in the space of the losses that each strategy's preference aims at, by specifier and
   * objective: a report is written without loading strategies.
   */
  readonly rays?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Of a front the losses of the reference point of its hypervolume, by objective; absent where they follow from the points. */
  readonly reference?: Readonly<Record<string, number>>;
  readonly seeds: readonly number[];
  readonly settings: Settings;
  /** Where the experiment is, for one that does not come with the program. */
  readonly module?: ExperimentModule;
  /** What a report says of that experiment: it is written without loading the experiment's code. */
  readonly description?: ExperimentDescription;
}

/** Where an experiment of the user's is found again. */
export interface ExperimentModule {
  /** As the user wrote it: a path or the name of a package. */
  readonly specifier: string;
  /** The file, relative to the output folder; absent for a package. */
  readonly file?: string;
  /** Digest of the file's text, and of those that it imports by relative paths. */
  readonly digest: string;
}

/** What is said of an experiment in tables and reports. */
export type ExperimentDescription = Pick<
  Experiment,
  'title' | 'summary' | 'sources' | 'objectives' | 'baseline' | 'metrics'
>;

const settings = byName(
  shape(
    'a text, a finite number, true or false',
    (one) => typeof one === 'string' || typeof one === 'boolean' || Number.isFinite(one),
  ),
);

const positive = shape('a number > 0', (one) => Number.isFinite(one) && (one as number) > 0);

const distinct = (inner: Shape): Shape =>
  dependent(list(inner), () =>
    shape('at least one, none of them twice', (value) => {
      const { length } = value as readonly unknown[];
      return length > 0 && new Set(value as readonly unknown[]).size === length;
    }),
  );

/** The shape of `config.json`, beside its format. */
const configShape: Shape = fields(
  {
    version: text,
    command: oneOf(trainingCommands),
    experiment: text,
    strategies: distinct(text),
    seeds: distinct(count),
    settings,
  },
  {
    titles: byName(text),
    rays: byName(byName(positive)),
    reference: byName(positive),
    module: fields({ specifier: text, digest: text }, { file: text }),
    description: fields({
      title: text,
      summary: text,
      sources: list(text),
      objectives: list(text),
      baseline: orNull(text),
      metrics: byName(
        fields({
          title: text,
          direction: oneOf(['higher', 'lower']),
          unit: text,
          objectives: list(text),
        }),
      ),
    }),
  },
);

/**
 * Checks a configuration that was read. Settings that its experiment got later are filled in, with the values that have the
 * effect of their absence: so a folder of before can be gone on with.
 *
 * @param where - what holds it, for messages
 * @throws MultigradError `unsupported` for another format, `invalid-data` where it is no configuration
 */
export function checkConfig(value: unknown, where: string): ComparisonConfig {
  const config = (value ?? {}) as Partial<ComparisonConfig>;
  if (config.format !== 1) {
    throw new MultigradError(
      'unsupported',
      `${where} is not a configuration of format 1, which this version of multigrad reads.`,
    );
  }
  assertShape(config, configShape, where);
  const sound = completed(config as ComparisonConfig);
  const rates = learningRates(sound.settings);
  const runs = sound.strategies.length * sound.seeds.length * rates.length;
  if (runs <= mostRuns && rates.every((rate) => rate > 0 && Number.isFinite(rate))) return sound;
  throw new MultigradError(
    'invalid-data',
    `${where} should name at most ${mostRuns} runs, with learning rates > 0. ` +
      `Found ${runs} runs with ${rates.slice(0, 5).join(', ')}.`,
  );
}

/** An experiment of a user's changes with the text that it was read from, so nothing is filled in for one. */
function completed(config: ComparisonConfig): ComparisonConfig {
  const { experiment, settings: given, module } = config;
  return module === undefined
    ? { ...config, settings: withLaterSettings(experiment, given) }
    : config;
}

/**
 * All entries by name but the command, since an analysis differs from other commands in its settings too, and but titles,
 * which measure nothing.
 */
function flatten({
  format,
  version,
  experiment,
  strategies,
  seeds,
  settings,
  module,
}: ComparisonConfig): Map<string, string> {
  const text = module === undefined ? {} : { 'text of the experiment': module.digest };
  return new Map(
    Object.entries({ format, version, experiment, ...text, strategies, seeds, ...settings }).map(
      ([name, value]) => [name, JSON.stringify(value)],
    ),
  );
}

/** Whether one comparison may go on in the folder of another: only strategies and seeds may be others. */
export function extendsConfig(there: ComparisonConfig, now: ComparisonConfig): boolean {
  const { strategies, seeds } = now;
  return configDifferences({ ...there, strategies, seeds }, now).length === 0;
}

/**
 * Two comparisons that differ in strategies and seeds alone, as one: those of the first, then what the second adds. Titles
 * and a front's reference point, which measure nothing, are the second's where it has them.
 */
export function mergeConfigs(there: ComparisonConfig, now: ComparisonConfig): ComparisonConfig {
  return {
    ...there,
    strategies: [...new Set([...there.strategies, ...now.strategies])],
    seeds: [...new Set([...there.seeds, ...now.seeds])].sort((a, b) => a - b),
    ...titled({ ...there.titles, ...now.titles }),
    ...(there.rays === undefined && now.rays === undefined
      ? {}
      : { rays: { ...there.rays, ...now.rays } }),
    ...(now.reference === undefined ? {} : { reference: now.reference }),
  };
}

/** The entry of a configuration for titles: none where there are none. */
export function titled(titles: Readonly<Record<string, string>>): Pick<ComparisonConfig, 'titles'> {
  return Object.keys(titles).length > 0 ? { titles } : {};
}

/**
 * Names every entry in which two configurations differ, as `epochs: 4 there, 8 now`.
 */
export function configDifferences(there: ComparisonConfig, now: ComparisonConfig): string[] {
  const before = flatten(there);
  const after = flatten(now);
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .map(
      (name) => `${name}: ${before.get(name) ?? 'none'} there, ${after.get(name) ?? 'none'} now`,
    );
}
