export { type ApplyOptions, applyModel } from './apply-model.ts';
export type { DatasetElement, ModelBatch, Samples, Targets } from './model-batches.ts';
export { multiObjective, MultiObjectiveModel } from './multi-objective.ts';
export type { ArrayLikeTensor, Named } from './named-tensors.ts';
export type {
  EvaluateModelOptions,
  FitOptions,
  MultiObjectiveOptions,
  ValidationData,
} from './options.ts';
export type { LossOption, MetricsOption } from './outputs.ts';
export type { LossName, Measure, OptimizerName } from './resolve-by-name.ts';
export type { ClassWeight, ClassWeights } from './sample-weights.ts';
