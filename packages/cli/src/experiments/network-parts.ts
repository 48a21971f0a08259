import { modelVariables, type NamedParts } from '@multigrad/core';
import type { Experiment, PartedNetwork, VariableNetwork } from '@multigrad/experiment';
import { Variable } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { invalidExperiment } from './invalid-experiment.ts';

/** A network as the trainer takes it. */
export interface NetworkParts {
  /** What is trained, by names that are the same in every run. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** What forward passes in training change by themselves, such as running means of normalisation layers, by name. */
  readonly statistics: ReadonlyMap<string, Variable>;
  /** The network as a whole and part by part, under the names of the folders that they are exported to. */
  readonly models: Readonly<Record<string, LayersModel>>;
  /** The network's named parts, so that no two of them share a group. */
  readonly parts: NamedParts;
  /** Frees the network. */
  dispose(): void;
}

type Models = Readonly<Record<string, LayersModel>>;

/**
 * Takes a network apart.
 *
 * @throws MultigradError `invalid-experiment` where it is none that can be trained
 */
export function networkParts(experiment: Experiment, network: unknown): NetworkParts {
  if (isModel(network)) return ofModels({ network }, {});
  if (isParted(network)) return ofParted(network);
  if (hasVariables(network)) return ofVariables(experiment, network);
  if (areModels(network)) return ofModels(network, partsOf(network));
  throw invalidExperiment(
    experiment,
    '`network` of what `open` returns should be a tf.LayersModel, several of them by name, a network of @multigrad/models, or ' +
      '`{ variables }` by name',
    network,
  );
}

function ofModels(models: Models, parts: NamedParts): NetworkParts {
  const [only] = Object.values(models);
  const source = Object.keys(models).length === 1 ? only! : models;
  const { variables, statistics, trained } = modelVariables(source);
  const now = trained();
  const all = [...variables];
  return {
    variables: new Map(all.filter(([, variable]) => now.has(variable))),
    // Weights of frozen layers are kept as they are; checkpoints and exports hold them.
    statistics: new Map([...all.filter(([, variable]) => !now.has(variable)), ...statistics]),
    models,
    parts,
    dispose: () => disposeAll([...variables.values(), ...statistics.values()]),
  };
}

/** Each model's variables; one that several models hold belongs to the smallest of them. */
function partsOf(models: Models): NamedParts {
  const taken = new Set<Variable>();
  const parts = new Map<string, readonly Variable[]>();
  const weights = Object.entries(models).map(([name, model]) => {
    const { trained } = modelVariables(model);
    return [name, [...trained()]] as const;
  });
  for (const [name, variables] of weights.sort(([, a], [, b]) => a.length - b.length)) {
    parts.set(
      name,
      variables.filter((variable) => !taken.has(variable)),
    );
    for (const variable of variables) taken.add(variable);
  }
  const filled = Object.keys(models).filter((name) => parts.get(name)!.length > 0);
  return Object.fromEntries(filled.map((name) => [name, parts.get(name)!]));
}

function ofParted(network: PartedNetwork): NetworkParts {
  const trained = new Set(network.trainableVariables);
  const all = [...network.namedVariables];
  return {
    variables: new Map(all.filter(([, variable]) => trained.has(variable))),
    statistics: new Map(all.filter(([, variable]) => !trained.has(variable))),
    parts: network.parts,
    models: modelsOf(network),
    dispose: () => network.dispose(),
  };
}

function modelsOf({ model, encoders = {}, fusion, trunks = [], heads }: PartedNetwork): Models {
  const named = (kind: string, models: Models): Models =>
    Object.fromEntries(Object.entries(models).map(([name, one]) => [`${kind}-${name}`, one]));
  return {
    network: model,
    ...named('encoder', encoders),
    ...(trunks.length === 1
      ? { trunk: trunks[0]! }
      : named('trunk', Object.fromEntries(trunks.map((trunk, k) => [k, trunk])))),
    ...(fusion === undefined ? {} : { fusion }),
    ...named('head', heads),
  };
}

function ofVariables(experiment: Experiment, network: VariableNetwork): NetworkParts {
  const variables = byName(experiment, 'network.variables', network.variables);
  const statistics = byName(experiment, 'network.statistics', network.statistics ?? {});
  if (variables.size === 0) {
    throw invalidExperiment(experiment, '`network.variables` should have an entry at least', {});
  }
  return {
    variables,
    statistics,
    parts: network.parts ?? {},
    models: network.models ?? {},
    dispose: () => {
      if (network.dispose === undefined)
        disposeAll([...variables.values(), ...statistics.values()]);
      else network.dispose();
    },
  };
}

function byName(
  experiment: Experiment,
  where: string,
  given: VariableNetwork['variables'],
): ReadonlyMap<string, Variable> {
  const map = new Map<string, Variable>(given instanceof Map ? given : Object.entries(given));
  for (const [name, variable] of map) {
    if (variable instanceof Variable) continue;
    throw invalidExperiment(experiment, `\`${where}\` should hold tf.Variables by name`, {
      [name]: variable,
    });
  }
  return map;
}

function disposeAll(variables: readonly Variable[]): void {
  for (const variable of variables) variable.dispose();
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isModel(value: unknown): value is LayersModel {
  return isObject(value) && 'trainableWeights' in value && 'layers' in value;
}

function areModels(value: unknown): value is Models {
  if (!isObject(value) || Array.isArray(value)) return false;
  const models: unknown[] = Object.values(value);
  return models.length > 0 && models.every(isModel);
}

function isParted(value: unknown): value is PartedNetwork {
  return isObject(value) && 'namedVariables' in value && 'trainableVariables' in value;
}

function hasVariables(value: unknown): value is VariableNetwork {
  return (
    isObject(value) &&
    'variables' in value &&
    !isModel(value.variables) &&
    isObject(value.variables)
  );
}
