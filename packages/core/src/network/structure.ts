import { MultigradError } from '../base/errors.ts';
import {
  type GroupBy,
  groupVariables,
  type PartsOrLayers,
  type ParameterGroup,
  withOwnKeys,
} from './groups.ts';
import { type Level, type ObservedGraph, quoted } from './observe-graph.ts';
import type { RunVariable } from './run-variables.ts';

/** Which objectives a network has and how its variables fall into groups: fixed when it is built. */
export interface Structure {
  readonly objectives: readonly string[];
  readonly groups: readonly ParameterGroup[];
}

/** Options that decide how a structure is found. */
export interface StructureOptions {
  readonly groupBy: GroupBy;
  readonly parts: PartsOrLayers;
  readonly level: Level;
}

/**
 * The structure that the union of several forward passes shows.
 *
 * @throws MultigradError `unreached-variable` when no objective reaches a variable, or an objective reaches none;
 *   `unsupported` when several objectives share variables that no feature covers
 */
export function buildStructure(
  graphs: readonly ObservedGraph[],
  variables: readonly RunVariable[],
  options: StructureOptions,
): Structure {
  const objectives = [...new Set(graphs.flatMap((graph) => graph.objectives))];
  const reach = new Map<string, Set<string>>(variables.map(({ name }) => [name, new Set()]));
  const featureOf = new Map<string, string>();
  for (const graph of graphs) {
    for (const [variable, reached] of graph.reach) {
      for (const objective of reached) reach.get(variable)!.add(objective);
    }
    for (const feature of graph.features) {
      for (const variable of feature.variables) featureOf.set(variable, feature.name);
    }
  }
  checkReach(objectives, reach);
  const behindNoFeature = variables.filter(({ name }) => !featureOf.has(name));
  const groups = groupVariables(behindNoFeature, reach, objectives, options.groupBy, options.parts);
  if (options.level === 'parameters') return { objectives, groups: withOwnKeys(groups) };

  for (const { objectives: sharing, variables: shared } of groups) {
    if (sharing.length < 2) continue;
    throw new MultigradError(
      'unsupported',
      `With \`level: 'features'\` every shared variable should lie behind a feature. ` +
        `Found ${quoted(shared)}, reached by ${quoted(sharing)}, behind none.`,
    );
  }
  const features = [...new Set(featureOf.values())].map((feature): ParameterGroup => {
    const behind = variables.filter(({ name }) => featureOf.get(name) === feature);
    const reached = new Set(behind.flatMap(({ name }) => [...reach.get(name)!]));
    return {
      key: feature,
      objectives: objectives.filter((objective) => reached.has(objective)),
      variables: behind.map(({ name }) => name),
      feature,
    };
  });
  return { objectives, groups: withOwnKeys([...features, ...groups]) };
}

function checkReach(
  objectives: readonly string[],
  reach: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  const unreached = [...reach].filter(([, reached]) => reached.size === 0).map(([name]) => name);
  if (unreached.length > 0) {
    throw new MultigradError(
      'unreached-variable',
      `Every variable should be reached by an objective. Found ${quoted(unreached)} reached by none of ${quoted(objectives)}. ` +
        'Leave unused variables out; where their objectives are absent from the first batch, build from several batches.',
    );
  }
  for (const objective of objectives) {
    if ([...reach.values()].some((reached) => reached.has(objective))) continue;
    throw new MultigradError(
      'unreached-variable',
      `Objective \`${objective}\` should depend on at least one variable through differentiable operations. Found that it reaches none.`,
    );
  }
}

/**
 * Checks that a step's graph keeps to the structure; objectives may be absent, nothing may be new.
 *
 * @throws MultigradError `structure-changed` naming the objective and the variable
 */
export function checkGraph(graph: ObservedGraph, structure: Structure, hint: string): void {
  for (const objective of graph.objectives) {
    if (structure.objectives.includes(objective)) continue;
    throw new MultigradError(
      'structure-changed',
      `Objective \`${objective}\` is not among those known at build: ${quoted(structure.objectives)}. ${hint}`,
    );
  }
  for (const group of structure.groups) {
    for (const variable of group.variables) {
      const news = [...(graph.reach.get(variable) ?? [])].filter(
        (objective) => !group.objectives.includes(objective),
      );
      if (news.length === 0) continue;
      throw new MultigradError(
        'structure-changed',
        `Variable \`${variable}\` of group \`${group.key}\` was reached by ${quoted(group.objectives)} at build. ` +
          `Found that ${quoted(news)} reaches it too. ${hint}`,
      );
    }
  }
  for (const feature of graph.features) {
    const group = structure.groups.find((candidate) => candidate.feature === feature.name);
    const same =
      group?.variables.length === feature.variables.size &&
      group.variables.every((name) => feature.variables.has(name));
    if (same) continue;
    throw new MultigradError(
      'structure-changed',
      `Feature \`${feature.name}\` covered ${quoted(group?.variables ?? [])} at build. Found ${quoted(feature.variables)}. ${hint}`,
    );
  }
}
