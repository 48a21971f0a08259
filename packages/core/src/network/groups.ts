import type { Variable } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';

/** A set of variables whose gradients are integrated together. */
export interface ParameterGroup {
  /** Unique in the network, stable from run to run. */
  readonly key: string;
  /** The objectives that ever reach one of the group's variables, in the order in which they first appeared. */
  readonly objectives: readonly string[];
  /** Names of the group's variables. */
  readonly variables: readonly string[];
  /** With `level: 'features'`, the cut tensor whose gradients stand for the group's; else null. */
  readonly feature: string | null;
}

/** What a `groupBy` function sees of a variable. */
export interface GroupableVariable {
  readonly name: string;
  /** The name without its last component: `gray/conv1` of `gray/conv1/kernel`. */
  readonly layer: string;
  /** The part of the network that the variable belongs to, if the caller named parts. */
  readonly part: string | null;
  /** The objectives that reach the variable. */
  readonly reach: readonly string[];
}

/**
 * How variables fall into groups.
 *
 * - `reach` (default): by the set of objectives that reach them, found on the recorded graph, and by named part
 * - `shared`: everything that two or more objectives reach is one group, with zero rows where one is not reached
 * - `layer`: each layer is a group
 * - `tensor`: each variable is a group
 * - a function: its key takes the place of the set
 */
export type GroupBy =
  'reach' | 'shared' | 'layer' | 'tensor' | ((variable: GroupableVariable) => string);

/** Names of a network's parts (its encoders, its trunk), each with its variables. */
export type NamedParts = Readonly<Record<string, readonly Variable[]>>;

/** Puts every variable into one group; groups come in the order of their first variable. */
export function groupVariables(
  variables: readonly Variable[],
  reaches: ReadonlyMap<string, ReadonlySet<string>>,
  objectives: readonly string[],
  groupBy: GroupBy,
  parts: NamedParts,
): ParameterGroup[] {
  const partOf = partsByVariable(parts);
  const members = new Map<string, { reach: Set<string>; variables: string[] }>();
  for (const { name } of variables) {
    const reached = reaches.get(name) ?? new Set<string>();
    const reach = objectives.filter((objective) => reached.has(objective));
    const layer = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : name;
    const key = groupKey(groupBy, { name, layer, part: partOf.get(name) ?? null, reach });
    const group = members.get(key) ?? { reach: new Set(), variables: [] };
    for (const objective of reach) group.reach.add(objective);
    group.variables.push(name);
    members.set(key, group);
  }
  return Array.from(members, ([key, group]) => ({
    key,
    objectives: objectives.filter((objective) => group.reach.has(objective)),
    variables: group.variables,
    feature: null,
  }));
}

function groupKey(groupBy: GroupBy, variable: GroupableVariable): string {
  const { name, layer, part, reach } = variable;
  if (typeof groupBy === 'function') {
    const key: unknown = groupBy(variable);
    if (typeof key === 'string' && key !== '') return key;
    throw new MultigradError(
      'invalid-option',
      `Option \`groupBy\` should return a non-empty string for each variable. Found ${String(key)} for \`${name}\`.`,
    );
  }
  const byReach = part === null ? reach.join('+') : `${part}/${reach.join('+')}`;
  switch (groupBy) {
    case 'reach':
      return byReach;
    case 'shared':
      return reach.length > 1 ? 'shared' : byReach;
    case 'layer':
      return layer;
    case 'tensor':
      return name;
    default:
      throw new MultigradError(
        'invalid-option',
        `Option \`groupBy\` should be 'reach', 'shared', 'layer', 'tensor' or a function. Found ${JSON.stringify(groupBy)}.`,
      );
  }
}

/** @throws MultigradError `invalid-option` when a variable stands in two parts */
export function partsByVariable(parts: NamedParts): ReadonlyMap<string, string> {
  const partOf = new Map<string, string>();
  for (const [part, variables] of Object.entries(parts)) {
    for (const { name } of variables) {
      const other = partOf.get(name);
      if (other !== undefined && other !== part) {
        throw new MultigradError(
          'invalid-option',
          `Option \`parts\` should name each variable once. Found \`${name}\` in \`${other}\` and in \`${part}\`.`,
        );
      }
      partOf.set(name, part);
    }
  }
  return partOf;
}
