export {
  checkGradients,
  type CheckGradientsOptions,
  type GradientCheck,
} from './step/check-gradients.ts';
export type { ClipOptions } from './rows/clip-gradients.ts';
export {
  type ExchangedSums,
  type BatchShare,
  type GradientExchange,
  type Slice,
  sliceOf,
} from './ranks/gradient-exchange.ts';
export { currentShare } from './ranks/current-share.ts';
export { gatherSamples } from './ranks/gather-samples.ts';
export { gradientFromSums } from './tape/deferred-sums.ts';
export { markBatchPart, markEmptyPart } from './ranks/batch-part.ts';
export { batchDigest } from './ranks/batch-digest.ts';
export { GradientMemory, type MemoryTensor } from './rows/gradient-memory.ts';
export type {
  GroupableVariable,
  GroupBy,
  NamedParts,
  ParameterGroup,
  PartsOrLayers,
} from './network/groups.ts';
export {
  buildIntegration,
  type IntegratedGradients,
  integrateGradients,
} from './step/integrate-gradients.ts';
export type {
  Forward,
  GroupingOptions,
  IntegratedStep,
  IntegrateOptions,
} from './step/integrate-options.ts';
export type { GroupState, IntegrationState } from './network/integration-state.ts';
export {
  type FeatureObjectives,
  type Objectives,
  type ObjectiveValue,
  perSample,
  type SampleLosses,
  withFeatures,
} from './network/objectives.ts';
export type { Level } from './network/observe-graph.ts';
export type { GroupReport, SampleReport } from './step/report.ts';
export type { SampleWay } from './samples/sample-gramian.ts';
export { endEpoch, endStep } from './step/strategy-hooks.ts';
export { mendTape } from './tape/mend-tape.ts';
export { fusedAdam, type FusedAdamOptions } from './optimizers/fused-adam.ts';
export { fusedMomentum, type FusedMomentumOptions } from './optimizers/fused-momentum.ts';
export type { FusedOptimizer } from './optimizers/fused-optimizer.ts';
export { batchSize } from './data/batch-size.ts';
export type { FitStart, History, Logs, SafePoint, TrainerCallback } from './trainer/callbacks.ts';
export type { DatasetLike, DataSource, ReadOptions } from './data/data-source.ts';
export type { Evaluation } from './trainer/evaluate.ts';
export { MultiObjectiveTrainer } from './trainer/multi-objective-trainer.ts';
export type { CompilationReport } from './tape/backward-plans.ts';
export {
  type BatchOf,
  type ObjectiveBatches,
  perObjective,
  type PerObjectiveMode,
  type PerObjectiveOptions,
} from './data/per-objective.ts';
export { divergenceGuard, type DivergenceGuardOptions } from './trainer/guards/divergence-guard.ts';
export { earlyStopping, type EarlyStoppingOptions } from './trainer/guards/early-stopping.ts';
export {
  identicalObjectives,
  type IdenticalObjectivesOptions,
} from './trainer/guards/identical-objectives.ts';
export { memoryAlarm, type MemoryAlarmOptions } from './trainer/guards/memory-alarm.ts';
export type { MonitorOptions } from './trainer/guards/monitor.ts';
export {
  reduceOnPlateau,
  type ReduceOnPlateau,
  type ReduceOnPlateauOptions,
} from './trainer/guards/reduce-on-plateau.ts';
export { cosineDecay, type LearningRate, stepDecay, warmUp } from './update/learning-rate.ts';
export type { DynamicLossScale, LossScaleState } from './trainer/loss-scale.ts';
export type { AverageOptions } from './update/weight-average.ts';
export type {
  MeasuredStep,
  Modulate,
  Modulation,
  Modulations,
  StepModulation,
} from './update/modulation.ts';
export type { UpdateOptions } from './update/update.ts';
export {
  type LayerLike,
  type LayerList,
  type LayerSource,
  type LayerWeight,
  modelVariables,
  type ModelVariables,
  tensorsByName,
} from './network/layer-weights.ts';
export type { NamedVariables } from './network/run-variables.ts';
export type { PartSnapshot } from './optimizers/part-snapshot.ts';
export type {
  AnyOptimizer,
  CombiningOptimizer,
  GradientFunction,
  ResumableOptimizer,
} from './optimizers/optimizer.ts';
export type { Combination, Combinations } from './rows/combination.ts';
export { resumableBatches, startsAtBatch } from './data/resumable-batches.ts';
export type {
  FitState,
  SnapshotOptions,
  TrainerSnapshot,
  TrainerState,
} from './trainer/snapshot.ts';
export type { StepReport } from './trainer/step-report.ts';
export { tensorBatches, type TensorBatchesOptions } from './data/tensor-batches.ts';
export type {
  EvaluateOptions,
  FitOptions,
  ObjectiveContext,
  TrainerOptions,
} from './trainer/trainer-options.ts';
