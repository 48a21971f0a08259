import { MultigradError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { readState } from '../contract/read-answer.ts';
import type { GradientStrategy, GroupDescription } from '../contract/strategy.ts';
import type { GroupBy, ParameterGroup } from './groups.ts';
import { type Level, quoted } from './observe-graph.ts';
import type { RunVariable } from './run-variables.ts';
import type { Structure } from './structure.ts';

/** A group and the strategy's state for it, which is null where the strategy does not see the group's gradients. */
export interface GroupState extends ParameterGroup {
  readonly state: Json;
}

/**
 * Everything that gradient integration carries from one step to the next, as plain JSON: a checkpoint holds it as it
 * is, and a run that resumes from it continues bit for bit.
 */
export interface IntegrationState {
  /** Version of this record. */
  readonly format: 1;
  /** Name of the strategy. */
  readonly strategy: string;
  readonly level: Level;
  /** How the groups were found; `custom` for a function. */
  readonly groupBy: string;
  readonly singles: 'plain' | 'weighted';
  /** Number of the next step, from 0. */
  readonly step: number;
  readonly objectives: readonly string[];
  readonly groups: readonly GroupState[];
  /** State of a strategy that sees no gradients, which has one state for the whole run; else null. */
  readonly run: Json;
}

/** The options that a state depends on. */
export interface Grouping {
  readonly level: Level;
  readonly groupBy: GroupBy;
  readonly singles: 'plain' | 'weighted';
}

function groupByName(groupBy: GroupBy): string {
  return typeof groupBy === 'function' ? 'custom' : groupBy;
}

/** The state before the first step. */
export function initialState(
  structure: Structure,
  strategy: GradientStrategy,
  grouping: Grouping,
  variables: readonly RunVariable[],
): IntegrationState {
  const { objectives, groups } = structure;
  const streams = new Map(variables.map(({ name, stream }) => [name, stream]));
  const { level, groupBy, singles } = grouping;
  const global = strategy.needs.gradients === 'none';
  const init = (group: GroupDescription): Json =>
    readState(strategy.name, 'init', () => strategy.init(group));
  return {
    format: 1,
    strategy: strategy.name,
    level,
    groupBy: groupByName(groupBy),
    singles,
    step: 0,
    objectives,
    groups: groups.map((group) => {
      const consulted = !global && (group.objectives.length > 1 || singles === 'weighted');
      return {
        ...group,
        state: consulted ? init(describe(group, groupBy, streams)) : null,
      };
    }),
    run: global
      ? init({
          key: 'run',
          objectives,
          tensors: groups.flatMap((group) => group.variables),
        })
      : null,
  };
}

/**
 * Describes a group to a strategy. Keys of layers and tensors are variables' names, which may differ between processes:
 * draws there are keyed by the stream of the first variable.
 */
function describe(
  { key, objectives, variables, feature }: ParameterGroup,
  groupBy: GroupBy,
  streams: ReadonlyMap<string, string>,
): GroupDescription {
  const named = feature === null && (groupBy === 'layer' || groupBy === 'tensor');
  const stream = named ? streams.get(variables[0]!)! : key;
  return { key, stream, objectives, tensors: feature === null ? variables : [feature] };
}

/** The differences between a state and what this strategy and these variables expect, one sentence each. */
export function stateDifferences(
  state: IntegrationState,
  strategy: GradientStrategy,
  grouping: Grouping,
  variables: readonly { readonly name: string }[],
): string[] {
  const differences: string[] = [];
  const compare = (what: string, found: string, expected: string): void => {
    if (found !== expected)
      differences.push(`${what} differs: found ${found}, expected ${expected}`);
  };
  compare('format', String(state.format), '1');
  compare('strategy', state.strategy, strategy.name);
  compare('level', state.level, grouping.level);
  compare('groupBy', state.groupBy, groupByName(grouping.groupBy));
  compare('singles', state.singles, grouping.singles);
  const known = new Set(state.groups.flatMap((group) => group.variables));
  const given = new Set(variables.map(({ name }) => name));
  const missing = [...known].filter((name) => !given.has(name));
  const added = [...given].filter((name) => !known.has(name));
  if (missing.length > 0)
    compare('list of variables', `${quoted(missing)} in the state`, 'only those given');
  if (added.length > 0) compare('list of variables', `no ${quoted(added)}`, 'every variable given');
  return differences;
}

/**
 * Checks that a state belongs to this strategy and these variables.
 *
 * @throws MultigradError `structure-changed` naming what differs
 */
export function checkState(
  state: IntegrationState,
  strategy: GradientStrategy,
  grouping: Grouping,
  variables: readonly { readonly name: string }[],
): void {
  const differences = stateDifferences(state, strategy, grouping, variables);
  if (differences.length === 0) return;
  throw new MultigradError(
    'structure-changed',
    `The integration state's ${differences.join('; its ')}.`,
  );
}
