import { MultigradError } from '@multigrad/core/strategy';
import type { Settings } from './settings.ts';

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
  const texts = (list: unknown): boolean =>
    Array.isArray(list) && list.every((one) => typeof one === 'string');
  const seed = (one: unknown): boolean => Number.isSafeInteger(one) && (one as number) >= 0;
  const setting = (one: unknown): boolean => typeof one === 'string' || Number.isFinite(one);
  const sound =
    typeof config.version === 'string' &&
    typeof config.recipe === 'string' &&
    texts(config.strategies) &&
    Array.isArray(config.seeds) &&
    config.seeds.every(seed) &&
    typeof config.settings === 'object' &&
    !Array.isArray(config.settings) &&
    Object.values(config.settings ?? { none: null }).every(setting);
  if (sound) return config as ComparisonConfig;
  throw new MultigradError(
    'invalid-data',
    `${where} should hold a recipe, strategies, seeds (integers >= 0) and settings (numbers and texts). ` +
      `Found ${JSON.stringify(value).slice(0, 200)}.`,
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
    .map((name) => `${name}: ${before.get(name) ?? 'none'} there, ${after.get(name) ?? 'none'} now`);
}
