import { readFile } from 'node:fs/promises';
import type { LoadHook } from 'node:module';
import { fileURLToPath } from 'node:url';
import process from 'node:process';
import { transformSync } from '@swc/wasm-typescript';
import { type EmitWarning, withoutTypeless } from './typeless-warning.ts';

// Hooks run on a thread of their own, which then also finds out what kind of module a file is, and warns.
Reflect.set(
  process,
  'emitWarning',
  withoutTypeless(Reflect.get(process, 'emitWarning') as EmitWarning),
);

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
