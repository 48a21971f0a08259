import {
  MultigradError,
  type StrategyPlugin,
  assertPlugin,
  definePlugin,
} from '@multigrad/core/strategy';
import { importOutside, isPath, modulePath } from '../shared/outside-module.ts';

/**
 * Loads somebody else's strategy from an npm package or a file: its export `plugin`, checked.
 *
 * @param folder - paths are relative to it, and packages are looked for from it
 * @returns null where there is no such package
 * @throws MultigradError `unknown-strategy` where there is no such file; `incompatible-strategy` where it does not load or
 * exports no plugin
 */
export async function loadExternalPlugin(
  name: string,
  folder: string,
): Promise<StrategyPlugin | null> {
  let plugin: unknown;
  try {
    const found = await importOutside(name, folder);
    if (found === null) {
      if (!isPath(name)) return null;
      throw new MultigradError(
        'unknown-strategy',
        `There is no strategy file ${modulePath(name, folder)} (from \`${name}\`).`,
      );
    }
    ({ plugin } = found.exports);
  } catch (cause) {
    if (MultigradError.isInstance(cause) && cause.code === 'unknown-strategy') throw cause;
    throw new MultigradError(
      'incompatible-strategy',
      `The strategy \`${name}\` does not load: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  try {
    assertPlugin(plugin, name);
    // A copy of what was read: the module may change its object later.
    return definePlugin(plugin);
  } catch (cause) {
    if (MultigradError.isInstance(cause)) throw cause;
    throw new MultigradError(
      'incompatible-strategy',
      `The plugin of \`${name}\` cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}
