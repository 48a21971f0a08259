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
