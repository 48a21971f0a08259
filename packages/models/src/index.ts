export {
  batchNormalization,
  type BatchNormalizationOptions,
  registerLayers,
} from './batch-normalization.ts';
export { classifierHead, type ClassifierHeadOptions } from './classifier-head.ts';
export { concatenation, type ConcatenationOptions } from './concatenation.ts';
export { digitEncoder, type DigitEncoderOptions } from './digit-encoder.ts';
export type { Initialisation } from './initialisation.ts';
export { assertLabels } from './labels.ts';
export { multimodalNetwork, type MultimodalNetworkOptions } from './make-multimodal-network.ts';
export {
  type ForwardMode,
  type MeasuredObjective,
  MultimodalNetwork,
  type NetworkParts,
} from './multimodal-network.ts';
export { accuracy, softmaxCrossEntropy } from './softmax-cross-entropy.ts';
