import {
  MultigradError,
  own,
  parseStrategySpecifier,
  type StrategyPlugin,
  type StrategySpecifier,
} from '@multigrad/core/strategy';
import type { Experiment } from '@multigrad/experiment';
import { parseRunLabel } from '../runs/run-label.ts';
import { balancingPlugins } from './balancing.ts';
import { builtinPlugins } from './builtin.ts';
import { experimentPlugins } from './catalog.ts';

/**
 * What tables, charts and sentences call strategies, by specifier: the plugin's title with the options that the user gave,
 * as in `MMPareto (gamma 2, rescale tensor)`. A strategy of
 * somebody else's whose title was not recorded goes by the name of its file or package. Where
 * two would be called the same they keep their specifiers.
 *
 * @param experiment - brings the titles of its baselines; undefined for an experiment that this version does not know
 * @param outside - titles of strategies that do not come with the program, by specifier
 */
export function strategyTitles(
  experiment: Pick<Experiment, 'baseline' | 'objectives'> | undefined,
  specifiers: readonly string[],
  outside: Readonly<Record<string, string>> = {},
): ReadonlyMap<string, string> {
  const plugins = experiment === undefined ? builtinPlugins : experimentPlugins(experiment);
  const titles = specifiers.map((specifier) => titleOfRun(specifier, plugins, outside));
  return new Map(
    specifiers.map((specifier, index) => {
      const title = titles[index]!;
      return [specifier, titles.filter((other) => other === title).length > 1 ? specifier : title];
    }),
  );
}

/** The title of a strategy, and behind a plus that of the balancing method. */
function titleOfRun(
  label: string,
  plugins: readonly StrategyPlugin[],
  outside: Readonly<Record<string, string>>,
): string {
  const { strategy, balance } = parseRunLabel(label);
  const title = titleOf(strategy, plugins, own(outside, strategy));
  return balance === null ? title : `${title} + ${titleOf(balance, balancingPlugins, undefined)}`;
}

/** The same with the strategies of a front called by the number of their ray: `EPO, ray 3`. */
export function rayTitles(
  titles: ReadonlyMap<string, string>,
  rays: readonly string[],
): ReadonlyMap<string, string> {
  return new Map(
    [...titles].map(([specifier, title]) => {
      const at = rays.indexOf(specifier);
      return [specifier, at < 0 ? title : `${title.replace(/ \(.*/s, '')}, ray ${at + 1}`];
    }),
  );
}

function titleOf(
  specifier: string,
  plugins: readonly Pick<StrategyPlugin, 'name' | 'title'>[],
  outside: string | undefined,
): string {
  const parsed = takenApart(specifier);
  // Somebody has edited the configuration by hand.
  if (parsed === null) return specifier;
  const { name, options } = parsed;
  const plugin = plugins.find((one) => one.name === name);
  const title = plugin?.title ?? outside ?? fileName(name);
  const given = Object.entries(options).map(([option, value]) => `${option} ${value}`);
  return given.length > 0 ? `${title} (${given.join(', ')})` : title;
}

function takenApart(specifier: string): StrategySpecifier | null {
  try {
    return parseStrategySpecifier(specifier);
  } catch (error) {
    if (MultigradError.isInstance(error)) return null;
    throw error;
  }
}

/** `my-strategy` of `./folder/my-strategy.js`; the name of a package as it is. */
function fileName(name: string): string {
  if (!/\.[cm]?[jt]s$/.test(name)) return name;
  return name.replace(/^.*[\\/]/, '').replace(/\.[cm]?[jt]s$/, '');
}
