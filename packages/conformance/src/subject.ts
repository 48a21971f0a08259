import type {
  GradientStrategy,
  StrategyPlugin,
  StrategyProperties,
} from '@multigrad/core/strategy';
import { check } from './check.ts';

/** Options of `strategyConformance`. */
export interface ConformanceOptions {
  /** The plugin that the package exports. */
  readonly plugin: StrategyPlugin;
  /** Makes the strategy under test. @defaultValue `plugin.create()`, the one with all defaults */
  readonly create?: () => GradientStrategy;
  /** Title of the group of tests. @defaultValue the plugin's name */
  readonly title?: string;
  /** What the strategy promises, and what it does not. @defaultValue what the plugin says */
  readonly properties?: StrategyProperties;
  /**
   * The numbers of objectives tried, for properties that hold at some only. @defaultValue from `sizes.minimum` to 5, or
   * two more than the minimum
   */
  readonly K?: { readonly min: number; readonly max: number };
  /** The numbers of objectives that the strategy accepts: fewer have to be refused. @defaultValue `{ minimum: 1 }` */
  readonly sizes?: { readonly minimum: number };
  /** Seed of the generated cases, an integer. @defaultValue fast-check's own, printed in failures */
  readonly seed?: number;
  /** Number of cases for each property that should hold. @defaultValue 100 */
  readonly runs?: number;
  /** Greatest relative difference of numbers that should be equal, > 0. @defaultValue 1e-6 */
  readonly tolerance?: number;
}

/** The options with every default filled in. */
export interface Subject {
  readonly plugin: StrategyPlugin;
  readonly create: () => GradientStrategy;
  /** Whether the strategy is the plugin's, with its defaults. */
  readonly isDefault: boolean;
  readonly properties: StrategyProperties;
  readonly least: number;
  readonly most: number;
  /** The smallest number of objectives that the strategy accepts. */
  readonly minimum: number;
  readonly seed: number | undefined;
  readonly runs: number;
  readonly tolerance: number;
}

/** Fills in the defaults; throws a plain Error for options that do not fit. */
export function subjectOf(options: ConformanceOptions): Subject {
  const { plugin, create = () => plugin.create(), properties = plugin.properties, seed } = options;
  const { sizes: { minimum } = { minimum: 1 }, runs = 100, tolerance = 1e-6 } = options;
  const { min, max } = options.K ?? { min: minimum, max: Math.max(5, minimum + 2) };
  check(
    properties !== undefined,
    `The plugin or option \`properties\` of strategyConformance should say what ${plugin.name} promises. Found neither.`,
  );
  expectInteger('sizes.minimum', minimum, 1);
  expectInteger('K.min', min, minimum);
  expectInteger('K.max', max, min);
  expectInteger('runs', runs, 1);
  if (seed !== undefined) expectInteger('seed', seed, -Infinity);
  check(
    tolerance > 0 && tolerance < 1,
    `Option \`tolerance\` of strategyConformance should be > 0 and < 1. Found ${tolerance}.`,
  );
  check(
    minimum === 1 || typeof properties.single === 'object',
    `Option \`properties.single\` of strategyConformance should be { not: reason } where \`sizes.minimum\` is ${minimum}.`,
  );
  const isDefault = options.create === undefined;
  return {
    plugin,
    create,
    isDefault,
    properties,
    least: min,
    most: max,
    minimum,
    seed,
    runs,
    tolerance,
  };
}

function expectInteger(name: string, value: number, minimum: number): void {
  check(
    Number.isInteger(value) && value >= minimum,
    `Option \`${name}\` of strategyConformance should be an integer >= ${minimum}. Found ${value}.`,
  );
}
