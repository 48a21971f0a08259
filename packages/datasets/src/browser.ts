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
export { epochOrder } from './epoch-order.ts';
export {
  type FrameOptions,
  logMelSpectrogram,
  magnitudeSpectrogram,
  type MelOptions,
  type Spectrogram,
} from './spectrogram.ts';
export { assertEveryClass, splitBy, subset } from './split.ts';
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
export { parseWav, type WavAudio } from './wav.ts';
