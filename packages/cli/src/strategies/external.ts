import { createRequire } from 'node:module';
import { extname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { existsSync } from 'node:fs';
import {
  MultigradError,
  type StrategyPlugin,
  assertPlugin,
  definePlugin,
} from '@multigrad/core/strategy';
import { importModule } from '../shared/import-module.ts';

/** Whether a strategy's name is that of a file, not of a package. */
export function isPath(name: string): boolean {
  return (
    /^\.{0,2}[\\/]/.test(name) ||
    name.startsWith('file:') ||
    isAbsolute(name) ||
    /^[A-Za-z]:[\\/]/.test(name) ||
    ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'].includes(extname(name))
  );
}

function fileAddress(name: string, folder: string): string {
  const path = name.startsWith('file:') ? fileURLToPath(name) : resolve(folder, name);
  if (existsSync(path)) return pathToFileURL(path).href;
  throw new MultigradError(
    'unknown-strategy',
    `There is no strategy file ${path} (from \`${name}\`).`,
  );
}

/** Where a package is, seen from the user's folder; null where it is not installed there. */
function packageAddress(name: string, folder: string): string | null {
  try {
    return pathToFileURL(createRequire(resolve(folder, 'any.js')).resolve(name)).href;
  } catch {
    return null;
  }
}

function isNotFound(error: unknown, name: string): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'ERR_MODULE_NOT_FOUND' &&
    error.message.includes(`'${name}'`)
  );
}

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
  // A package is tried from the user's folder first, then from where this program is installed.
  const address = isPath(name) ? fileAddress(name, folder) : (packageAddress(name, folder) ?? name);
  let plugin: unknown;
  try {
    ({ plugin } = await importModule(address));
  } catch (cause) {
    if (address === name && isNotFound(cause, name)) return null;
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
