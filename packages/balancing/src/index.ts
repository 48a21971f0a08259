export type { Draw, LabelledBatch, SampleSource, TrainingData } from './contract/data.ts';
export type {
  BalancedPass,
  BalancingMethod,
  BalancingNeeds,
  BalancingStep,
  EpochEnd,
  EpochStart,
  Modulated,
  NetworkDescription,
  PartModulation,
  PartModulations,
} from './contract/method.ts';
export type {
  BalancedNetwork,
  BalancedObjectives,
  ByModality,
  MeasuredObjective,
  NetworkHead,
  PassMode,
  Signals,
} from './contract/network.ts';
export type { Pass } from './contract/pass.ts';
export {
  assertBalancingPlugin,
  type BalancingPlugin,
  createBalancing,
  defineBalancing,
} from './contract/plugin.ts';
export { balanced, type Balanced, type BalancedOptions } from './driver/balanced.ts';
export type { DataOption } from './driver/training-data.ts';
export { ogmGe, type OgmGeOptions } from './methods/ogm-ge.ts';
export { plugins } from './plugins.ts';
