import process from 'node:process';

/** Node's code for its warning that a module says only by its syntax that it is one. */
const typeless = 'MODULE_TYPELESS_PACKAGE_JSON';

/** `process.emitWarning`, whose overloads no replacement can have. */
export type EmitWarning = (...args: unknown[]) => void;

/** The same function without Node's warning about a module's missing package type. */
export function withoutTypeless(emit: EmitWarning): EmitWarning {
  // A warning's code is its own, that of its options, or the third argument.
  const isTypeless = (one: unknown): boolean =>
    one === typeless ||
    (typeof one === 'object' && one !== null && Reflect.get(one, 'code') === typeless);
  return (...args) => {
    if (!args.some(isTypeless)) Reflect.apply(emit, process, args);
  };
}
