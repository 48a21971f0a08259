import { MultigradError } from '../base/errors.ts';
import { didYouMean, listNames } from '../base/nearest-name.ts';
import { assertPlugin, createStrategy, type StrategyPlugin } from './plugin.ts';
import { parseStrategySpecifier } from './specifier.ts';
import type { GradientStrategy } from '../contract/strategy.ts';

/** A fixed set of strategy plugins, looked up by name. */
export interface StrategyRegistry {
  /** The plugins, in the order in which they were given. */
  list(): readonly StrategyPlugin[];
  /** Whether there is a plugin of exactly this name. */
  has(name: string): boolean;
  /**
   * The plugin of exactly this name.
   *
   * @throws MultigradError `unknown-strategy` that lists the known names and suggests the nearest
   */
  find(name: string): StrategyPlugin;
  /**
   * The strategy that a specifier such as `mmpareto:gamma=2,rescale=tensor` stands for.
   *
   * @throws MultigradError `unknown-strategy` or `invalid-option`
   */
  create(specifier: string): GradientStrategy;
}

/**
 * A registry of the plugins given, each checked.
 *
 * @throws MultigradError `incompatible-strategy` for something that is no plugin; `invalid-argument` where two have the
 * same name
 *
 * @example
 * ```ts
 * import { createRegistry } from '@multigrad/core/strategy';
 * import { plugin as mmpareto } from '@multigrad/strategy-mmpareto';
 * import { plugin as sum } from '@multigrad/strategy-sum';
 *
 * const registry = createRegistry([sum, mmpareto]);
 * console.log(registry.list().map((plugin) => plugin.name)); // [ 'sum', 'mmpareto' ]
 * console.log(registry.create('mmpareto:gamma=2').name); // mmpareto
 * ```
 */
export function createRegistry(plugins: Iterable<StrategyPlugin>): StrategyRegistry {
  const byName = new Map<string, StrategyPlugin>();
  for (const plugin of plugins) {
    assertPlugin(plugin);
    if (byName.has(plugin.name)) {
      throw new MultigradError(
        'invalid-argument',
        `Every plugin of a registry should have its own name. Found \`${plugin.name}\` twice.`,
      );
    }
    byName.set(plugin.name, plugin);
  }
  const listed = Object.freeze([...byName.values()]);
  const find = (name: string): StrategyPlugin => {
    const plugin = byName.get(name);
    if (plugin !== undefined) return plugin;
    throw new MultigradError(
      'unknown-strategy',
      `There is no strategy \`${name}\`.${didYouMean(name, byName.keys())} Known: ${listNames(byName.keys())}.`,
    );
  };
  return Object.freeze({
    list: () => listed,
    has: (name: string) => byName.has(name),
    find,
    create: (specifier: string) => {
      const { name, options } = parseStrategySpecifier(specifier);
      return createStrategy(find(name), options);
    },
  });
}
