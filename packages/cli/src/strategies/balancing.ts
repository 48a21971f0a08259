import {
  type BalancingMethod,
  type BalancingPlugin,
  createBalancing,
  plugins,
} from '@multigrad/balancing';
import { MultigradError, parseStrategySpecifier } from '@multigrad/core/strategy';
import { didYouMean, listNames } from '@multigrad/core/support';

/** The balancing methods that come with this program, in the order of listings. */
export const balancingPlugins: readonly BalancingPlugin[] = plugins;

/** The word for no balancing method in a list of them. */
export const noBalancing = 'none';

/** A balancing method that a user asked for. It is checked, and made anew for each run. */
export interface ChosenBalancing {
  readonly plugin: BalancingPlugin;
  /** Makes it for a run; a random method whose seed the user left open takes the run's. */
  create(seed: number): BalancingMethod;
}

/** What a specifier names, and the options that it gives. @throws MultigradError `unknown-strategy` */
export function findBalancing(specifier: string): {
  readonly plugin: BalancingPlugin;
  readonly options: Readonly<Record<string, string>>;
} {
  const { name, options } = parseStrategySpecifier(specifier);
  const plugin = balancingPlugins.find((one) => one.name === name);
  if (plugin !== undefined) return { plugin, options };
  const names = [noBalancing, ...balancingPlugins.map((one) => one.name)];
  throw new MultigradError(
    'unknown-strategy',
    `There is no balancing method \`${name}\`.${didYouMean(name, names)} Known: ${listNames(names)}.`,
  );
}

/** Finds and checks a balancing method. @throws MultigradError `unknown-strategy` or `invalid-option` */
export function chooseBalancing(specifier: string): ChosenBalancing {
  const { plugin, options } = findBalancing(specifier);
  const seeded = plugin.options['seed']?.kind === 'number' && options['seed'] === undefined;
  const create = (seed: number): BalancingMethod =>
    createBalancing(plugin, seeded ? { ...options, seed: String(seed) } : options);
  create(0);
  return { plugin, create };
}

/**
 * The balancing methods of a list as specifiers, null for `none`. `all` stands for none and every method that is not named
 * beside it.
 */
export function expandBalancing(specifiers: readonly string[]): (string | null)[] {
  const named = new Set(specifiers.map((one) => parseStrategySpecifier(one).name));
  const rest = [noBalancing, ...balancingPlugins.map(({ name }) => name)].filter(
    (name) => !named.has(name),
  );
  return specifiers
    .flatMap((one) => (one === 'all' ? rest : [one]))
    .map((one) => (one === noBalancing ? null : one));
}
