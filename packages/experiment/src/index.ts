export type { Batches, DataSet, ExperimentData, Samples } from './data.ts';
export { defineExperiment } from './define-experiment.ts';
export type { DefinedMetric, Experiment, ExperimentDefinition, Preset } from './experiment.ts';
export { accuracy, type Metric } from './metric.ts';
export type { Network, PartedNetwork, VariableNetwork, VariablesByName } from './network.ts';
export { type MetricValues, opened, type OpenExperiment } from './open-experiment.ts';
export type {
  CommonSettings,
  NoSettings,
  NumberSetting,
  PathSetting,
  Settings,
  SettingsOf,
  SettingSpec,
  SettingSpecs,
  SettingValue,
  SomeSettingsOf,
} from './settings.ts';
export { checkSizes, drawnSize, sampleCount, type SizeSettings } from './sizes.ts';
