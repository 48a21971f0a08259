import type { Variable } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';

/**
 * Variables with their names in a run: a map from names to variables, or a list of variables, which keep their own
 * names.
 *
 * TensorFlow.js makes own names unique in a process, so those of a second network get a number. With a map, names are
 * the same in every process, and any process can resume from a checkpoint.
 */
export type NamedVariables = readonly Variable[] | ReadonlyMap<string, Variable>;

/**
 * A variable as the engine knows it. The own names of TensorFlow.js count the variables of the whole process, so nothing
 * that has to be the same from run to run may depend on them.
 */
export interface RunVariable {
  /** Name in messages, states and checkpoints: the name in the map, or the variable's own. */
  readonly name: string;
  /** Key of random draws for the variable: the name in the map, or the place in the list. */
  readonly stream: string;
  readonly variable: Variable;
}

/**
 * The variables with their names, in order.
 *
 * @throws MultigradError `invalid-argument` where there is none, where one comes twice, or where two have the same name
 */
export function runVariables(variables: NamedVariables): readonly RunVariable[] {
  const entries: readonly RunVariable[] =
    'get' in variables
      ? Array.from(variables, ([name, variable]) => ({ name, stream: name, variable }))
      : variables.map((variable, place) => {
          return { name: variable.name, stream: String(place), variable };
        });
  if (entries.length === 0) {
    throw new MultigradError(
      'invalid-argument',
      'Argument `variables` should name at least one tf.Variable. Found none.',
    );
  }
  const names = new Set<string>();
  const known = new Set<Variable>();
  for (const { name, variable } of entries) {
    if (names.has(name) || known.has(variable)) {
      throw new MultigradError(
        'invalid-argument',
        `Argument \`variables\` should name each variable once. Found \`${name}\` twice.`,
      );
    }
    names.add(name);
    known.add(variable);
  }
  return entries;
}

/**
 * The variables by name; an empty list is allowed. @throws MultigradError `invalid-argument` as {@link runVariables}
 * does
 */
export function variablesByName(variables: NamedVariables): ReadonlyMap<string, Variable> {
  const count = 'get' in variables ? variables.size : variables.length;
  if (count === 0) return new Map();
  return new Map(runVariables(variables).map(({ name, variable }) => [name, variable]));
}

/** The tensors of variables, without their names. */
export function tensorsOf(variables: readonly RunVariable[]): readonly Variable[] {
  return variables.map(({ variable }) => variable);
}
