export {
  batchNormalization,
  type BatchNormalizationOptions,
  registerLayers,
} from './layers/batch-normalization.ts';
export { classifierHead, type ClassifierHeadOptions } from './heads/classifier-head.ts';
export { concatenation, type ConcatenationOptions } from './fusions/concatenation.ts';
export { digitEncoder, type DigitEncoderOptions } from './encoders/digit-encoder.ts';
export type { Initialisation } from './weights/initialisation.ts';
export { assertLabels } from './losses/labels.ts';
export { multimodalNetwork, type MultimodalNetworkOptions } from './networks/make-multimodal-network.ts';
export {
  type ForwardMode,
  type MeasuredObjective,
  MultimodalNetwork,
  type NetworkParts,
} from './networks/multimodal-network.ts';
export { accuracy, softmaxCrossEntropy } from './losses/softmax-cross-entropy.ts';
