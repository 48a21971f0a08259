import { type Array as JaxArray, tree } from '@jax-js/jax';

/** Parameters of a network: arrays in objects and lists of any depth, as jax-js takes them. */
export type Parameters = tree.JsTree<JaxArray>;

/** The arrays of a tree, in the order in which jax-js goes through it, each with its path as a name: `trunk/0/kernel`. */
export interface NamedLeaves {
  readonly names: readonly string[];
  readonly arrays: readonly JaxArray[];
  /** A tree of the same structure with other arrays. */
  rebuild(arrays: readonly JaxArray[]): Parameters;
}

export function namedLeaves(parameters: Parameters): NamedLeaves {
  const [arrays, definition] = tree.flatten<JaxArray>(parameters);
  const names: string[] = [];
  const name = (part: unknown, path: readonly string[]): void => {
    if (typeof part === 'number') names[part] = path.join('/') || 'parameters';
    else {
      for (const [key, inner] of Object.entries(part as object)) name(inner, [...path, key]);
    }
  };
  name(
    tree.unflatten<number>(
      definition,
      arrays.map((_, index) => index),
    ),
    [],
  );
  return {
    names,
    arrays,
    rebuild: (others) => tree.unflatten<JaxArray>(definition, others),
  };
}
