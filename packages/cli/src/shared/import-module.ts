import process from 'node:process';

/** Node's code for its warning that a module says only by its syntax that it is one. */
const typeless = 'MODULE_TYPELESS_PACKAGE_JSON';

/** Imports under way, and the function that warnings go to otherwise. */
let underWay = 0;
let emitWarning: typeof process.emitWarning | undefined;

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
    emitWarning = process.emitWarning;
    process.emitWarning = withoutTypeless(emitWarning);
  }
  underWay += 1;
  try {
    return (await import(address)) as Record<string, unknown>;
  } finally {
    underWay -= 1;
    if (underWay === 0) process.emitWarning = emitWarning!;
  }
}

function withoutTypeless(emit: typeof process.emitWarning): typeof process.emitWarning {
  return (...args: unknown[]) => {
    const [warning, type, code] = args;
    const given = typeof type === 'object' && type !== null ? Reflect.get(type, 'code') : code;
    const own =
      typeof warning === 'object' && warning !== null ? Reflect.get(warning, 'code') : null;
    if (given === typeless || own === typeless) return;
    Reflect.apply(emit, process, args);
  };
}
