/** All of this package except for what reads files: the entry for runtimes without a file system. */
export {
  acCircuits,
  type AcCircuitBatch,
  type AcCircuits,
  type AcCircuitSets,
  type AcCircuitsOptions,
} from './ac-circuits.ts';
export { addWhiteNoise, resample } from './audio-signal.ts';
export {
  audioVisualDigits,
  type AudioVisualDigitBatch,
  type AudioVisualDigits,
  type AudioVisualDigitSet,
  type AudioVisualDigitsOptions,
  type SpokenDigit,
} from './audio-visual-digits.ts';
export { batches, batchesByEpoch, batchesPerEpoch, type EpochBatches } from './batches.ts';
export type { BatchesOptions, BatchingOptions, EpochOptions } from './batching-options.ts';
export type { BatchContext, BatchSource, MemorySource } from './batch-source.ts';
export {
  cgMnist,
  type CgMnist,
  type CgMnistOptions,
  type ColoredDigitBatch,
  type ColoredDigits,
} from './cg-mnist.ts';
export { digitColors, type Rgb } from './digit-colors.ts';
export { type DigitView, digitViews } from './digit-views.ts';
export { epochOrder } from './epoch-order.ts';
export {
  type FrameOptions,
  logMelSpectrogram,
  magnitudeSpectrogram,
  type MelOptions,
  type Spectrogram,
} from './spectrogram.ts';
export { assertEveryClass, splitBy, subset } from './split.ts';
export { classesFrom } from './own-data/classes-from.ts';
export type {
  ClassColumn,
  Column,
  ColumnBatch,
  FileColumn,
  NumberColumn,
} from './own-data/column.ts';
export {
  type DataBatch,
  dataSets,
  type DataSets,
  type DataSetsOptions,
  type InputColumns,
  type TaskOf,
} from './own-data/data-sets.ts';
export type { TargetColumns } from './own-data/target-counts.ts';
export {
  type NestedNumbers,
  type NumberArray,
  type NumbersBatch,
  numbersFrom,
} from './own-data/numbers-from.ts';
export type { Scale } from './own-data/scale.ts';
export type { Part } from './own-data/split-positions.ts';
export { parseCsv, type Table, type TableOptions } from './own-data/table.ts';
export { datasetBatches, type DatasetBatchesOptions } from './own-data/tf-data.ts';
export { type IdxArray, parseIdx } from './idx.ts';
export { type BatchWithMissing, withMissing, type WithMissingOptions } from './missing.ts';
export { type Digits, type Mnist, type NamedBytes, parseDigits } from './mnist.ts';
export {
  fashionAndDigit,
  type FashionAndDigitOptions,
  multiMnist,
  type MultiMnistOptions,
} from './multi-mnist.ts';
export type {
  OverlaidDigitBatch,
  OverlaidDigits,
  OverlaidDigitSets,
  OverlaidDigitsOptions,
} from './overlaid-digits.ts';
export { type NpyArray, parseNpy } from './npy.ts';
export {
  type SceneBatch,
  sceneClasses,
  type SceneObject,
  type Scenes,
  scenes,
  type SceneSets,
  type ScenesOptions,
} from './scenes.ts';
export { parseWav, type WavAudio } from './wav.ts';
