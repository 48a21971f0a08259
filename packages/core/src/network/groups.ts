import type { Variable } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import { isLayerSource, type LayerList, variablesOfList } from './layer-weights.ts';
import type { RunVariable } from './run-variables.ts';

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

/** A variable as a `groupBy` function sees it. */
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
 * - `shared`: everything that two or more objectives reach is one group, with zero rows where an objective does not
 *   reach a variable
 * - `layer`: each layer is a group
 * - `tensor`: each variable is a group
 * - a function: returns the key of a variable's group
 */
export type GroupBy =
  'reach' | 'shared' | 'layer' | 'tensor' | ((variable: GroupableVariable) => string);

/** Names of a network's parts (its encoders, its trunk), each with its variables. */
export type NamedParts = Readonly<Record<string, readonly Variable[]>>;

/** Names of a network's parts, each with its variables, its layers or its model. */
export type PartsOrLayers = Readonly<Record<string, readonly Variable[] | LayerList>>;

/** Puts every variable into one group; groups come in the order of their first variable. */
export function groupVariables(
  variables: readonly RunVariable[],
  reaches: ReadonlyMap<string, ReadonlySet<string>>,
  objectives: readonly string[],
  groupBy: GroupBy,
  parts: PartsOrLayers,
): ParameterGroup[] {
  const partOf = partsByVariable(parts);
  const members = new Map<string, { key: string; reach: Set<string>; variables: string[] }>();
  for (const { name, variable } of variables) {
    const reached = reaches.get(name) ?? new Set<string>();
    const reach = objectives.filter((objective) => reached.has(objective));
    const layer = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : name;
    const groupable = { name, layer, part: partOf.get(variable) ?? null, reach };
    const key = groupKey(groupBy, groupable);
    const identity = groupIdentity(groupBy, groupable, key);
    const group = members.get(identity) ?? { key, reach: new Set(), variables: [] };
    for (const objective of reach) group.reach.add(objective);
    group.variables.push(name);
    members.set(identity, group);
  }
  return Array.from(members.values(), (group) => ({
    key: group.key,
    objectives: objectives.filter((objective) => group.reach.has(objective)),
    variables: group.variables,
    feature: null,
  }));
}

/**
 * Makes the keys of groups unique: later ones get a number. Keys may be equal because names of objectives may hold the
 * signs that keys are made with (`a+b` beside `a` and `b`), and because a feature may have the name of an objective.
 */
export function withOwnKeys(groups: readonly ParameterGroup[]): ParameterGroup[] {
  const taken = new Set(groups.map(({ key }) => key));
  const used = new Set<string>();
  return groups.map((group) => {
    let { key } = group;
    for (let number = 2; used.has(key); number += 1) {
      const candidate = `${group.key} (${number})`;
      if (!taken.has(candidate)) key = candidate;
    }
    used.add(key);
    return { ...group, key };
  });
}

/** Identifies a variable's group. A key alone does not: keys of different groups may be equal by chance. */
function groupIdentity(groupBy: GroupBy, { part, reach }: GroupableVariable, key: string): string {
  if (groupBy === 'shared' && reach.length > 1) return 'shared';
  return groupBy === 'reach' || groupBy === 'shared' ? JSON.stringify([part, reach]) : key;
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
export function partsByVariable(parts: PartsOrLayers): ReadonlyMap<Variable, string> {
  const partOf = new Map<Variable, string>();
  for (const [part, members] of Object.entries(parts)) {
    const variables = isLayerSource(members) ? variablesOfList(members) : members;
    for (const variable of variables) {
      const other = partOf.get(variable);
      if (other !== undefined && other !== part) {
        throw new MultigradError(
          'invalid-option',
          `Option \`parts\` should name each variable once. Found \`${variable.name}\` in \`${other}\` and in \`${part}\`.`,
        );
      }
      partOf.set(variable, part);
    }
  }
  return partOf;
}
