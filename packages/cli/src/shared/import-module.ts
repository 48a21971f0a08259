import { register } from 'node:module';
import process from 'node:process';
import { type EmitWarning, withoutTypeless } from './typeless-warning.ts';

/** Imports under way, and the function that warnings go to while there are none. */
let underWay = 0;
let emitWarning: EmitWarning | undefined;

/**
 * Imports somebody else's module, a `.js` file without a package of the type `module` too.
 *
 * For such a file Node warns that it had to read it twice, and tells the user to edit a package.json which they may not
 * have. That warning, and no other, is left out until the module is there.
 *
 * @param address - a file's URL or a package's name
 * @throws whatever the module throws, or Node where it cannot be loaded
 */
export async function importModule(address: string): Promise<Record<string, unknown>> {
  if (underWay === 0) {
    emitWarning = Reflect.get(process, 'emitWarning') as EmitWarning;
    Reflect.set(process, 'emitWarning', withoutTypeless(emitWarning));
  }
  underWay += 1;
  try {
    stripTypes();
    return (await import(address)) as Record<string, unknown>;
  } finally {
    underWay -= 1;
    if (underWay === 0) Reflect.set(process, 'emitWarning', emitWarning);
  }
}

let stripsTypes = Boolean(Reflect.get(process.features, 'typescript'));

/** Lets Node load TypeScript files: it does so itself from 22.18 on, before that by a hook that strips types in the same way. */
function stripTypes(): void {
  // Sources of this program run where types are stripped anyway.
  if (stripsTypes || import.meta.url.endsWith('.ts')) return;
  stripsTypes = true;
  register(new URL('./typescript-hook.js', import.meta.url));
}
