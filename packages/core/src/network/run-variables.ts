import type { Variable } from '@tensorflow/tfjs-core';
import { describeValue } from '../base/describe-value.ts';
import { MultigradError } from '../base/errors.ts';
import { isLayerSource, type LayerSource, modelVariables } from './layer-weights.ts';

/**
 * Variables with their names in a run: a model of `tf.layers`, several, or parts of them; a map from names to variables;
 * or a list of variables, which keep their own names.
 *
 * TensorFlow.js makes own names unique in a process, so those of a second network get a number. With a model or a map,
 * names are the same in every process, and any process can resume from a checkpoint. Of a model, the weights of layers
 * that are `trainable` at the time are trained; {@link modelVariables} says what their names are.
 */
export type NamedVariables = readonly Variable[] | ReadonlyMap<string, Variable> | LayerSource;

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

/** Variables of a run, and what is known of them where they belong to a model. */
export interface VariablesOfRun {
  /** All of them, in order; those of frozen layers too. */
  readonly all: readonly RunVariable[];
  /** The moving statistics of a model, by name; else none. */
  readonly statistics: ReadonlyMap<string, Variable>;
  /** Returns the variables whose layers are trainable at the time of the call; null where no layer says so. */
  readonly trained: (() => ReadonlySet<Variable>) | null;
}

/**
 * Reads the variables of a run.
 *
 * @throws MultigradError `invalid-argument` as {@link runVariables} does, but for frozen layers
 */
export function readVariables(variables: NamedVariables): VariablesOfRun {
  if (!isLayerSource(variables)) {
    return { all: checked(entriesOf(variables)), statistics: new Map(), trained: null };
  }
  const { variables: weights, statistics, trained } = modelVariables(variables);
  return { all: checked(entriesOf(weights)), statistics, trained };
}

/**
 * The variables to train with their names, in order: of a model those of layers that are trainable now.
 *
 * @throws MultigradError `invalid-argument` where there is none, where one comes twice, where two have the same name, or
 *   where all layers of a model are frozen
 */
export function runVariables(variables: NamedVariables): readonly RunVariable[] {
  const { all, trained } = readVariables(variables);
  if (trained === null) return all;
  const now = trained();
  return someTrained(
    all.filter(({ variable }) => now.has(variable)),
    all,
  );
}

/** The variables that are trained. @throws MultigradError `invalid-argument` where there is none */
export function someTrained(
  trained: readonly RunVariable[],
  all: readonly RunVariable[],
): readonly RunVariable[] {
  if (trained.length > 0) return trained;
  throw new MultigradError(
    'invalid-argument',
    `At least one variable should be trained. Found all ${all.length} frozen, from \`${all[0]!.name}\` on: ` +
      'set `trainable` of layers to true (a model whose own `trainable` is false trains none of its layers), or call `freeze` with fewer names.',
  );
}

type Given = readonly Variable[] | ReadonlyMap<string, Variable>;

function entriesOf(variables: Given): readonly RunVariable[] {
  if (Array.isArray(variables)) {
    return (variables as readonly Variable[]).map((variable, place) => {
      return { name: variable.name, stream: String(place), variable };
    });
  }
  if (typeof (variables as { readonly get?: unknown } | null)?.get === 'function') {
    const named = variables as ReadonlyMap<string, Variable>;
    return Array.from(named, ([name, variable]) => ({ name, stream: name, variable }));
  }
  throw new MultigradError(
    'invalid-argument',
    'Argument `variables` should be a model of tf.layers, a list of tf.Variables or a map of them by name. ' +
      `Found ${describeValue(variables)}.`,
  );
}

function checked(entries: readonly RunVariable[]): readonly RunVariable[] {
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
 * The variables by name, those of frozen layers too; an empty list or map is allowed.
 *
 * @throws MultigradError `invalid-argument` as {@link readVariables} does
 */
export function variablesByName(variables: NamedVariables): ReadonlyMap<string, Variable> {
  if (!isLayerSource(variables) && entriesOf(variables).length === 0) return new Map();
  return byName(readVariables(variables).all);
}

/** Statistics by name; of a model its own. @throws MultigradError `invalid-argument` as {@link readVariables} does */
export function statisticsByName(statistics: NamedVariables): ReadonlyMap<string, Variable> {
  return isLayerSource(statistics)
    ? modelVariables(statistics).statistics
    : variablesByName(statistics);
}

/** The variables by their names in the run. */
export function byName(variables: readonly RunVariable[]): ReadonlyMap<string, Variable> {
  return new Map(variables.map(({ name, variable }) => [name, variable]));
}

/** The tensors of variables, without their names. */
export function tensorsOf(variables: readonly RunVariable[]): readonly Variable[] {
  return variables.map(({ variable }) => variable);
}
