export type { Masks, Predict } from './contribution/coalition-values.ts';
export {
  contributionLog,
  type ContributionLog,
  type ContributionLogOptions,
} from './contribution/contribution-log.ts';
export {
  type ContributionFigures,
  type ContributionOptions,
  type ModalityContributions,
  modalityContributions,
  type PredictionValue,
} from './contribution/modality-contributions.ts';
export { modalityMeans } from './contribution/modality-means.ts';
export type { SampleMean } from './contribution/moments.ts';
export { sampleValuation, type SampleValuationOptions } from './contribution/sample-valuation.ts';
export { shapleyInteractions, shapleyValues } from './contribution/shapley.ts';
export { digitEncoder, type DigitEncoderOptions } from './encoders/digit-encoder.ts';
export { encoderDecoder, type EncoderDecoderOptions } from './encoders/encoder-decoder.ts';
export { lenet, type LenetOptions } from './encoders/lenet.ts';
export {
  multilayerPerceptron,
  type MultilayerPerceptronOptions,
} from './encoders/multilayer-perceptron.ts';
export { resnet18, type Resnet18Options } from './encoders/resnet18.ts';
export {
  temporalTransformer,
  type TemporalTransformerOptions,
} from './encoders/temporal-transformer.ts';
export { tokenLstm, type TokenLstmOptions } from './encoders/token-lstm.ts';
export { tokenTransformer, type TokenTransformerOptions } from './encoders/token-transformer.ts';
export { waveformEncoder, type WaveformEncoderOptions } from './encoders/waveform-encoder.ts';
export type { CrossAttentionExchangeOptions } from './exchanges/cross-attention-exchange.ts';
export type { MmtmOptions } from './exchanges/mmtm.ts';
export type { StageExchange } from './exchanges/stage-exchange.ts';
export { concatenation, type ConcatenationOptions } from './fusions/concatenation.ts';
export { crossAttention, type CrossAttentionOptions } from './fusions/cross-attention.ts';
export { film, type FilmOptions } from './fusions/film.ts';
export type { Fusion, FusionKind, FusionWithOptions } from './fusions/fusion.ts';
export { gated, type GatedOptions } from './fusions/gated.ts';
export { summation, type SummationOptions } from './fusions/summation.ts';
export { classifierHead, type ClassifierHeadOptions } from './heads/classifier-head.ts';
export {
  batchNormalization,
  type BatchNormalizationOptions,
} from './layers/batch-normalization.ts';
export type { GateChange } from './layers/channel-gate.ts';
export { dropout, type DropoutOptions } from './layers/dropout.ts';
export { registerLayers } from './layers/register-layers.ts';
export { saveWithStockLayers } from './layers/stock-layers.ts';
export { AngleErrors } from './losses/angle-errors.ts';
export { ConfusionCounts } from './losses/confusion-counts.ts';
export { cosineDistance } from './losses/cosine-distance.ts';
export { assertLabels } from './losses/labels.ts';
export { absoluteError, meanSquaredError, smoothL1 } from './losses/regression.ts';
export { accuracy, softmaxCrossEntropy } from './losses/softmax-cross-entropy.ts';
export type {
  DenseTask,
  NormalsTask,
  PixelRegressionTask,
  SegmentationTask,
} from './networks/dense-tasks.ts';
export {
  multiTaskNetwork,
  type MultiTaskNetworkOptions,
} from './networks/make-multi-task-network.ts';
export {
  multimodalNetwork,
  type MultimodalNetworkOptions,
} from './networks/make-multimodal-network.ts';
export {
  type BatchLabels,
  type Measured,
  type MeasuredObjective,
  MultimodalNetwork,
  type NetworkGate,
  type NetworkParts,
} from './networks/multimodal-network.ts';
export {
  type MeasuredTask,
  MultiTaskNetwork,
  type MultiTaskParts,
} from './networks/multi-task-network.ts';
export type { ForwardMode } from './networks/parts.ts';
export type { TaskMeasures } from './networks/task-measures.ts';
export type { ClassificationTask, RegressionTask, Task } from './networks/tasks.ts';
export type { CrossStitchOptions } from './sharing/cross-stitch.ts';
export type { DselectKOptions } from './sharing/dselect-k.ts';
export type { LtbOptions } from './sharing/ltb.ts';
export type { MmoeOptions } from './sharing/mmoe.ts';
export type { MtanOptions } from './sharing/mtan.ts';
export type { PleOptions } from './sharing/ple.ts';
export type { SharedBody, SharedOutputs } from './sharing/shared-body.ts';
export type { Sharing } from './sharing/sharing.ts';
export type { Trunk } from './sharing/trunks.ts';
export type { WeightOptions } from './option-specs.ts';
export type { Initialisation } from './weights/initialisation.ts';
