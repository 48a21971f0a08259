import { Variable } from '@tensorflow/tfjs-core';
import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';

type Models = Readonly<Record<string, LayersModel>>;

export function modelVariables(source: LayersModel | Models): {
  variables: Map<string, Variable>;
  statistics: Map<string, Variable>;
  trained: () => Set<Variable>;
} {
  const models = 'trainableWeights' in source ? { '': source as LayersModel } : (source as Models);
  const variables = new Map<string, Variable>();
  const of = (weight: LayerVariable): Variable => weight.read() as Variable;
  const list = Object.entries(models);
  for (const [prefix, model] of list) {
    model.weights.forEach((weight, k) =>
      variables.set(`${prefix}${k}/${weight.originalName}`, of(weight)),
    );
  }
  return {
    variables,
    statistics: new Map(),
    trained: () => new Set(list.flatMap(([, model]) => model.trainableWeights.map(of))),
  };
}
