import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { importModule } from './import-module.ts';

/** Whether the name of somebody else's module is that of a file, not of a package. */
export function isPath(name: string): boolean {
  return (
    /^\.{0,2}[\\/]/.test(name) ||
    name.startsWith('file:') ||
    isAbsolute(name) ||
    /^[A-Za-z]:[\\/]/.test(name) ||
    ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'].includes(extname(name))
  );
}

/** The path of a module in a file, whether it exists or not. */
export function modulePath(name: string, folder: string): string {
  return name.startsWith('file:') ? fileURLToPath(name) : resolve(folder, name);
}

/** Where a package is, seen from the user's folder; null where it is not installed there. */
function packagePath(name: string, folder: string): string | null {
  try {
    return createRequire(resolve(folder, 'any.js')).resolve(name);
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

/** Somebody else's module. */
export interface OutsideModule {
  readonly exports: Readonly<Record<string, unknown>>;
  /** Its file; null for a package that only this program sees. */
  readonly path: string | null;
}

/**
 * Imports somebody else's module: a file, or an npm package, which is looked for from the user's folder first, then from where
 * this program is installed.
 *
 * @param folder - paths are relative to it
 * @returns null where there is no such file or package
 * @throws whatever the module throws
 */
export async function importOutside(name: string, folder: string): Promise<OutsideModule | null> {
  const path = isPath(name) ? modulePath(name, folder) : packagePath(name, folder);
  if (isPath(name) && !existsSync(path!)) return null;
  try {
    const address = path === null ? name : pathToFileURL(path).href;
    return { exports: await importModule(address), path };
  } catch (cause) {
    if (path === null && isNotFound(cause, name)) return null;
    throw cause;
  }
}
