import { readFile } from 'node:fs/promises';
import type { LoadHook } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/wasm-typescript';

/**
 * A hook of Node's module loader: TypeScript files with their types stripped, as later versions of Node do it with the same
 * library. Syntax that is more than types, such as `enum`, is an error.
 */
export const load: LoadHook = async (url, context, nextLoad) => {
  if (!/^file:.*\.m?ts$/.test(url)) return nextLoad(url, context);
  const path = fileURLToPath(url);
  const text = await readFile(path, 'utf8');
  const { code } = transformSync(text, { mode: 'strip-only', module: true, filename: path });
  return { format: 'module', source: code, shortCircuit: true };
};
