import { MultigradError } from '@multigrad/core/strategy';
import { configShape } from './record-shapes.ts';
import { learningRates, type Settings } from './settings.ts';
import { assertShape } from './shape.ts';

/** No comparison has more runs: each has a folder and a line of a table. */
const mostRuns = 100_000;

/** `config.json`: all that decides what a comparison measures. */
export interface ComparisonConfig {
  /** Version of this file's format. */
  readonly format: 1;
  /** Version of the program. */
  readonly version: string;
  readonly recipe: string;
  /** Specifiers as the user wrote them, in the order of the tables. */
  readonly strategies: readonly string[];
  readonly seeds: readonly number[];
  readonly settings: Settings;
}

/**
 * Checks a configuration that was read.
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
  const sound = config as ComparisonConfig;
  const rates = learningRates(sound.settings);
  const runs = sound.strategies.length * sound.seeds.length * rates.length;
  if (runs <= mostRuns && rates.every((rate) => rate > 0 && Number.isFinite(rate))) return sound;
  throw new MultigradError(
    'invalid-data',
    `${where} should name at most ${mostRuns} runs, with learning rates > 0. ` +
      `Found ${runs} runs with ${rates.slice(0, 5).join(', ')}.`,
  );
}

function flatten(config: ComparisonConfig): Map<string, string> {
  const { settings, ...rest } = config;
  return new Map(
    Object.entries({ ...rest, ...settings }).map(([name, value]) => [name, JSON.stringify(value)]),
  );
}

/** Whether one comparison may go on in the folder of another: only strategies and seeds may be others. */
export function extendsConfig(there: ComparisonConfig, now: ComparisonConfig): boolean {
  const { strategies, seeds } = now;
  return configDifferences({ ...there, strategies, seeds }, now).length === 0;
}

/** Two comparisons that differ in strategies and seeds alone, as one: those of the first, then what the second adds. */
export function mergeConfigs(there: ComparisonConfig, now: ComparisonConfig): ComparisonConfig {
  return {
    ...there,
    strategies: [...new Set([...there.strategies, ...now.strategies])],
    seeds: [...new Set([...there.seeds, ...now.seeds])].sort((a, b) => a - b),
  };
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
