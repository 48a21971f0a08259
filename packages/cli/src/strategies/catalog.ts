import {
  type GradientStrategy,
  MultigradError,
  type StrategyPlugin,
  createRegistry,
  createStrategy,
  parseStrategySpecifier,
} from '@multigrad/core/strategy';
import type { Experiment } from '@multigrad/experiment';
import { type ChosenBalancing, chooseBalancing } from './balancing.ts';
import { parseRunLabel } from '../runs/run-label.ts';
import { builtinPlugins } from './builtin.ts';
import { scaledSumPlugin } from './scaled-sum.ts';
import { aloneName, singlePlugin } from './single.ts';
import { isPath } from '../shared/outside-module.ts';
import { loadExternalPlugin } from './external.ts';

/** A strategy that a user asked for. It is checked, and made anew for each run. */
export interface ChosenStrategy {
  /** As the user wrote it; with a balancing method, the label of both. */
  readonly specifier: string;
  readonly plugin: StrategyPlugin;
  /** Makes it for a run; a random strategy whose seed the user left open takes the run's. */
  create(seed: number): GradientStrategy;
  /** The balancing method beside it; null for none. */
  readonly balancing: ChosenBalancing | null;
}

/** The strategies that a experiment knows by name: the installed ones and its baselines. */
export function experimentPlugins(
  experiment: Pick<Experiment, 'baseline' | 'objectives'>,
): StrategyPlugin[] {
  const { baseline, objectives } = experiment;
  return [
    ...(baseline === null ? [] : [singlePlugin('joint', baseline, objectives)]),
    ...objectives
      .filter((objective) => objective !== baseline)
      .map((objective) => singlePlugin(aloneName(objective), objective, objectives)),
    scaledSumPlugin,
    ...builtinPlugins,
  ];
}

/**
 * The specifiers with `all` in the place of every strategy that comes with the program and is not named beside it.
 */
export function expandAll(specifiers: readonly string[]): string[] {
  const named = new Set(specifiers.map((specifier) => parseStrategySpecifier(specifier).name));
  const rest = builtinPlugins.map(({ name }) => name).filter((name) => !named.has(name));
  return specifiers.flatMap((specifier) => (specifier === 'all' ? rest : [specifier]));
}

/** What a specifier names, and the options that it gives. */
interface Found {
  readonly specifier: string;
  readonly plugin: StrategyPlugin;
  readonly options: Readonly<Record<string, string>>;
}

/**
 * Finds the strategies that specifiers name: among those at hand, in files and in installed packages.
 *
 * @param folder - paths and packages are looked for from it
 * @throws MultigradError `unknown-strategy` or `incompatible-strategy`
 */
export async function findPlugins(
  known: readonly StrategyPlugin[],
  specifiers: readonly string[],
  folder: string,
): Promise<Found[]> {
  const registry = createRegistry(known);
  const found: Found[] = [];
  for (const specifier of specifiers) {
    const { name, options } = parseStrategySpecifier(parseRunLabel(specifier).strategy);
    const plugin = registry.has(name)
      ? registry.find(name)
      : await externalPlugin(name, folder, () => registry.find(name));
    found.push({ specifier, plugin, options });
  }
  return found;
}

/** The specifiers among some that name code outside of this program: a file or a package. */
export function outsideSpecifiers(
  experiment: Pick<Experiment, 'baseline' | 'objectives'>,
  specifiers: readonly string[],
): string[] {
  const registry = createRegistry(experimentPlugins(experiment));
  const strategies = new Set(specifiers.map((label) => parseRunLabel(label).strategy));
  return [...strategies].filter((one) => !registry.has(parseStrategySpecifier(one).name));
}

/**
 * Finds and checks every strategy that a user asked for, with the balancing method beside it, before any training.
 *
 * @param specifiers - labels of runs
 * @param folder - paths and packages are looked for from it
 * @throws MultigradError `unknown-strategy`, `invalid-option` or `incompatible-strategy`
 */
export async function chooseStrategies(
  experiment: Experiment,
  specifiers: readonly string[],
  folder: string,
): Promise<ChosenStrategy[]> {
  const chosen: ChosenStrategy[] = [];
  for (const { specifier, plugin, options } of await findPlugins(
    experimentPlugins(experiment),
    specifiers,
    folder,
  )) {
    const seeded = plugin.options['seed']?.kind === 'number' && options['seed'] === undefined;
    const create = (seed: number): GradientStrategy =>
      createStrategy(plugin, seeded ? { ...options, seed: String(seed) } : options);
    create(0);
    const { balance } = parseRunLabel(specifier);
    const balancing = balance === null ? null : chooseBalancing(balance);
    chosen.push({ specifier, plugin, create, balancing });
  }
  return chosen;
}

/** Titles of the strategies among some that are code outside of this program, by specifier. */
export function outsideTitles(
  experiment: Experiment,
  chosen: readonly ChosenStrategy[],
): Readonly<Record<string, string>> {
  const specifiers = chosen.map(({ specifier }) => specifier);
  const outside = new Set(outsideSpecifiers(experiment, specifiers));
  return Object.fromEntries(
    chosen
      .map(({ specifier, plugin }) => [parseRunLabel(specifier).strategy, plugin.title] as const)
      .filter(([strategy]) => outside.has(strategy)),
  );
}

async function externalPlugin(
  name: string,
  folder: string,
  unknown: () => StrategyPlugin,
): Promise<StrategyPlugin> {
  const plugin = await loadExternalPlugin(name, folder);
  if (plugin) return plugin;
  if (isPath(name)) return unknown();
  try {
    return unknown();
  } catch (cause) {
    if (!MultigradError.isInstance(cause)) throw cause;
    throw new MultigradError(
      cause.code,
      `${cause.message} No npm package of that name is installed either; a file is named by its path, as in \`./${name}.js\`.`,
      { cause },
    );
  }
}
