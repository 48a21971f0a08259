import { makeJaxpr, type Array as JaxArray } from '@jax-js/jax';
import type { GradientStrategy } from '@multigrad/core/strategy';
import { MultigradError } from '@multigrad/core/strategy';
import { namedLeaves, type Parameters } from './parameter-tree.ts';
import { inputsOfOutputs } from './reach.ts';

/** Parameters whose gradients are integrated together. */
export interface Group {
  /** Its objectives, joined by `+`; `all` for a strategy that sees no gradients. */
  readonly key: string;
  /** The objectives that reach it, in the order of the forward function's result. */
  readonly objectives: readonly string[];
  /** Its parameters, by their paths in the tree. */
  readonly parameters: readonly string[];
}

/** The losses that a forward function returns: scalars by the objectives' names. */
export type Losses = Readonly<Record<string, JaxArray>>;

/**
 * The groups of a network: parameters that the same objectives reach, found in the recorded computation (the jaxpr). A
 * strategy that sees no gradients gets one group of all parameters.
 *
 * @param forward - is traced, with the shapes of `parameters` alone
 * @throws MultigradError `unreached-variable` that names parameters which no objective reaches
 */
export function findGroups<Tree extends Parameters>(
  strategy: GradientStrategy,
  forward: (parameters: Tree) => Losses,
  parameters: Tree,
): Group[] {
  let names: readonly string[] = [];
  const { jaxpr } = makeJaxpr((given: Tree) => {
    const losses = forward(given);
    names = Object.keys(losses);
    return losses;
  })(parameters as never);
  // Arrays that the function holds, such as a batch, come before its parameters.
  const held = jaxpr.consts.length;
  const inputs = inputsOfOutputs(jaxpr.jaxpr);
  jaxpr.dispose();
  const leaves = namedLeaves(parameters).names;
  const reaching = leaves.map((_, leaf) => names.filter((__, k) => inputs[k]!.has(held + leaf)));
  const unreached = leaves.filter((_, leaf) => reaching[leaf]!.length === 0);
  if (unreached.length > 0) {
    throw new MultigradError(
      'unreached-variable',
      `Every parameter should be reached by an objective. No objective reaches ${unreached.join(', ')}.`,
    );
  }
  if (strategy.needs.gradients === 'none') {
    return [{ key: 'all', objectives: names, parameters: leaves }];
  }
  const groups = new Map<string, { objectives: readonly string[]; parameters: string[] }>();
  reaching.forEach((objectives, leaf) => {
    const key = objectives.join('+');
    const group = groups.get(key) ?? { objectives, parameters: [] };
    group.parameters.push(leaves[leaf]!);
    groups.set(key, group);
  });
  return Array.from(groups, ([key, group]) => ({ key, ...group }));
}
