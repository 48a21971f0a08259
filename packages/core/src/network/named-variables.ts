import type { Variable } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';

/**
 * Variables by names under which checkpoints keep them: those of the map, or the variables' own.
 *
 * TensorFlow.js makes own names unique in the process, so those of a second network bear a number; a map of names that
 * are the same in every process lets any of them go on from a checkpoint.
 */
export type NamedVariables = readonly Variable[] | ReadonlyMap<string, Variable>;

/** The variables by name, in order. @throws MultigradError `invalid-argument` when two have the same name */
export function variablesByName(variables: NamedVariables): ReadonlyMap<string, Variable> {
  if ('get' in variables) return variables;
  const named = new Map(variables.map((variable) => [variable.name, variable]));
  if (named.size === variables.length) return named;
  const twice = variables.find((variable) => named.get(variable.name) !== variable);
  throw new MultigradError(
    'invalid-argument',
    `Each variable should be named once. Found \`${twice?.name ?? variables[0]!.name}\` twice.`,
  );
}
