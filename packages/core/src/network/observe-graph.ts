import type { Tensor } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import type { ForwardResult } from './objectives.ts';
import type { RunVariable } from './run-variables.ts';
import type { TapePaths } from '../tape/backward-walk.ts';
import type { Tape } from '../tape/tape.ts';

/** Where gradients are integrated: at the parameters, or at the shared features that the caller names. */
export type Level = 'parameters' | 'features';

/** A cut tensor of one step: which objectives reach it, and which variables lie behind it. */
export interface ObservedFeature {
  readonly name: string;
  readonly tensor: Tensor;
  readonly reach: ReadonlySet<string>;
  readonly variables: ReadonlySet<string>;
}

/** Which objectives reach which variables and features in one recorded forward pass. */
export interface ObservedGraph {
  /** Names of the objectives present. */
  readonly objectives: readonly string[];
  /** Objectives that reach each variable, by variable name; a variable behind a cut tensor has those of the tensor. */
  readonly reach: ReadonlyMap<string, ReadonlySet<string>>;
  /** Empty at the level of parameters. */
  readonly features: readonly ObservedFeature[];
  /** Number of samples that are objectives of their own; null where samples are none. */
  readonly samples: number | null;
}

/**
 * Reads from the tape which objectives reach which variables; at the level of features also checks the cut.
 *
 * @throws MultigradError `unsupported` when the cut tensors do not separate the objectives from the shared variables
 */
export function observeGraph(
  tape: Tape<ForwardResult>,
  paths: TapePaths,
  variables: readonly RunVariable[],
  level: Level,
): ObservedGraph {
  const { objectives, features } = tape.value;
  if (level === 'features' && (features === null || Object.keys(features).length === 0)) {
    throw new MultigradError(
      'unsupported',
      "With `level: 'features'` the forward function should return withFeatures(objectives, { name: tensor }). " +
        'Found objectives without features.',
    );
  }
  const observed =
    level === 'features' ? observeFeatures(tape, paths, variables, features ?? {}) : [];
  const cut = new Set(observed.map(({ tensor }) => tensor.id));
  const reach = new Map<string, Set<string>>(variables.map(({ name }) => [name, new Set()]));
  for (const { name: objective, loss } of objectives) {
    const ancestors = tape.ancestors(loss, paths, cut);
    for (const { name, variable } of variables) {
      if (ancestors.has(variable.id)) reach.get(name)!.add(objective);
    }
  }
  for (const feature of observed) {
    for (const name of feature.variables) {
      const bypassing = reach.get(name)!;
      if (bypassing.size > 0) throw bypassed(feature.name, name, bypassing);
    }
  }
  for (const feature of observed) {
    for (const name of feature.variables) reach.set(name, new Set(feature.reach));
  }
  return {
    objectives: objectives.map(({ name }) => name),
    reach,
    features: observed,
    samples: objectives[0]?.losses?.size ?? null,
  };
}

function observeFeatures(
  tape: Tape<ForwardResult>,
  paths: TapePaths,
  variables: readonly RunVariable[],
  features: Readonly<Record<string, Tensor>>,
): ObservedFeature[] {
  const entries = Object.entries(features);
  for (const [name] of entries) {
    // Features and variables stand side by side among the targets of gradients.
    if (!variables.some((variable) => variable.name === targetName(name))) continue;
    throw new MultigradError(
      'unsupported',
      `Variables should not be called as features are in this step. Found variable \`${targetName(name)}\` beside feature \`${name}\`: rename one.`,
    );
  }
  const featurePaths = tape.paths(entries.map(([, tensor]) => tensor));
  const reach = new Map<number, Set<string>>(entries.map(([, tensor]) => [tensor.id, new Set()]));
  for (const { name, loss } of tape.value.objectives) {
    const ancestors = tape.ancestors(loss, featurePaths);
    for (const [id, objectives] of reach) if (ancestors.has(id)) objectives.add(name);
  }
  const featureOf = new Map<string, string>();
  return entries.map(([name, tensor]) => {
    const behind = tape.ancestors(tensor, paths);
    const inside = variables
      .filter(({ variable }) => behind.has(variable.id))
      .map((one) => one.name);
    if (inside.length === 0) {
      throw new MultigradError(
        'unsupported',
        `Feature \`${name}\` should be computed from at least one variable inside the forward function. Found none behind it.`,
      );
    }
    for (const [other, { id }] of entries) {
      if (other !== name && behind.has(id)) {
        throw new MultigradError(
          'unsupported',
          `Features must not reach each other. Found that \`${other}\` reaches \`${name}\`.`,
        );
      }
    }
    for (const variable of inside) {
      const other = featureOf.get(variable);
      if (other !== undefined) {
        throw new MultigradError(
          'unsupported',
          `Each variable should lie behind one feature. Found \`${variable}\` behind \`${other}\` and \`${name}\`; ` +
            "use `level: 'parameters'` for such a network.",
        );
      }
      featureOf.set(variable, name);
    }
    return { name, tensor, reach: reach.get(tensor.id)!, variables: new Set(inside) };
  });
}

/** The name of a feature as a target of gradients: unlike the feature's own name it differs from those of variables. */
export function targetName(feature: string): string {
  return `feature:${feature}`;
}

function bypassed(
  feature: string,
  variable: string,
  objectives: ReadonlySet<string>,
): MultigradError {
  return new MultigradError(
    'unsupported',
    `Feature \`${feature}\` should cut every way from the objectives to the variables behind it. ` +
      `Found that ${quoted(objectives)} reaches \`${variable}\` past it; use \`level: 'parameters'\` or another cut tensor.`,
  );
}

/** Names in backticks, for messages. */
export function quoted(names: Iterable<string>): string {
  return Array.from(names, (name) => `\`${name}\``).join(', ');
}
