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
  GateChange,
  HeadWeight,
  MeasuredObjective,
  NetworkGate,
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
export {
  balanced,
  type Balanced,
  type BalancedOptions,
  type BalancedTraining,
} from './driver/balanced.ts';
export type { DataOption } from './driver/training-data.ts';
export { agm, type AgmOptions, type AgmState } from './methods/agm.ts';
export { arl, type ArlOptions, type ArlState } from './methods/arl.ts';
export { cml, type CmlOptions } from './methods/cml.ts';
export {
  dataRemixing,
  type DataRemixingOptions,
  type DataRemixingState,
} from './methods/data-remixing.ts';
export { dgl, type DglOptions } from './methods/dgl.ts';
export { g2d, type G2dOptions, type G2dState } from './methods/g2d.ts';
export { gBlending, type GBlendingOptions, type GBlendingState } from './methods/g-blending.ts';
export { greedy, type GreedyOptions, type GreedyState } from './methods/greedy.ts';
export { inforeg, type InforegOptions, type InforegState } from './methods/inforeg.ts';
export { lfm, type LfmOptions, type LfmState, lfmWeight } from './methods/lfm.ts';
export { mla, type MlaOptions, type MlaState } from './methods/mla.ts';
export { mmcosine, type MmcosineOptions } from './methods/mmcosine.ts';
export { mses, type MsesModality, type MsesOptions, type MsesState } from './methods/mses.ts';
export { mslr, type MslrOptions, type MslrState } from './methods/mslr.ts';
export { ogmGe, type OgmGeOptions } from './methods/ogm-ge.ts';
export { opm, type OpmOptions } from './methods/opm.ts';
export { pmr, type PmrOptions, type PmrState } from './methods/pmr.ts';
export { reconboost, type ReconboostOptions, type ReconboostState } from './methods/reconboost.ts';
export {
  type Diagnosis,
  relearning,
  type RelearningOptions,
  type RelearningState,
} from './methods/relearning.ts';
export {
  sampleValuation,
  type SampleValuationOptions,
  type SampleValuationState,
} from './methods/sample-valuation.ts';
export { umt, type UmtOptions, type UmtState } from './methods/umt.ts';
export { plugins } from './plugins.ts';
export type { PackedTensor, PackedTensors } from './support/packed.ts';
export type { TeacherOptions, TeacherWeights } from './support/teachers.ts';
