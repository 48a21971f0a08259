export {
  checkGradients,
  type CheckGradientsOptions,
  type GradientCheck,
} from './engine/check-gradients.ts';
export type { ClipOptions } from './engine/clip-gradients.ts';
export {
  type ExchangedRow,
  type GradientExchange,
  type Slice,
  sliceOf,
} from './engine/gradient-exchange.ts';
export { GradientMemory, type RememberedTensor } from './engine/gradient-memory.ts';
export type { GroupableVariable, GroupBy, NamedParts, ParameterGroup } from './engine/groups.ts';
export {
  buildIntegration,
  type Forward,
  type GroupingOptions,
  type IntegratedGradients,
  type IntegrateOptions,
  integrateGradients,
} from './engine/integrate-gradients.ts';
export type { GroupState, IntegrationState } from './engine/integration-state.ts';
export {
  type FeatureObjectives,
  type Objectives,
  type ObjectiveValue,
  withFeatures,
} from './engine/objectives.ts';
export type { Level } from './engine/observe-graph.ts';
export type { GroupReport } from './engine/report.ts';
export { afterStep, endEpoch } from './engine/strategy-hooks.ts';
export { hasKernel, runKernel } from './kernels/run-kernel.ts';
export { seededUniform, type UniformKey, uniformKey } from './kernels/seeded-uniform.ts';
export {
  type KernelContract,
  type TrainingKernel,
  trainingKernels,
} from './kernels/training-kernels.ts';
export type { Combination } from './optimizers/combination.ts';
export { fusedAdam, type FusedAdamOptions } from './optimizers/fused-adam.ts';
export { fusedMomentum, type FusedMomentumOptions } from './optimizers/fused-momentum.ts';
export type { FusedOptimizer } from './optimizers/fused-optimizer.ts';
export { batchSize } from './trainer/batch-size.ts';
export type { FitStart, History, Logs, SafePoint, TrainerCallback } from './trainer/callbacks.ts';
export type { DatasetLike, DataSource, ReadOptions } from './trainer/data-source.ts';
export type { Evaluation } from './trainer/evaluate.ts';
export { MultiObjectiveTrainer } from './trainer/multi-objective-trainer.ts';
export {
  type ObjectiveBatches,
  perObjective,
  type PerObjectiveOptions,
} from './trainer/per-objective.ts';
export { divergenceGuard, type DivergenceGuardOptions } from './trainer/guards/divergence-guard.ts';
export { earlyStopping, type EarlyStoppingOptions } from './trainer/guards/early-stopping.ts';
export {
  identicalObjectives,
  type IdenticalObjectivesOptions,
} from './trainer/guards/identical-objectives.ts';
export { memoryAlarm, type MemoryAlarmOptions } from './trainer/guards/memory-alarm.ts';
export { cosineDecay, type LearningRate, stepDecay, warmUp } from './trainer/learning-rate.ts';
export type { DynamicLossScale, LossScaleState } from './trainer/loss-scale.ts';
export type { AverageOptions } from './trainer/weight-average.ts';
export type { UpdateOptions } from './trainer/update.ts';
export type { NamedVariables } from './trainer/named-variables.ts';
export type {
  AnyOptimizer,
  GradientFunction,
  PartSnapshot,
  ResumableOptimizer,
} from './trainer/optimizer.ts';
export { resumableBatches, startsAtBatch } from './trainer/resumable-batches.ts';
export type { FitState, TrainerSnapshot, TrainerState } from './trainer/snapshot.ts';
export type { StepReport } from './trainer/step-report.ts';
export { tensorBatches } from './trainer/tensor-batches.ts';
export type {
  EvaluateOptions,
  FitOptions,
  ObjectiveContext,
  TrainerOptions,
} from './trainer/trainer-options.ts';
