import * as tf from '@tensorflow/tfjs-core';
import { BatchNormalization } from './batch-normalization.ts';
import { Branch } from './branch.ts';
import { ChannelGate } from './channel-gate.ts';
import { CrossStitch } from './cross-stitch.ts';
import { Doubled } from './doubled.ts';
import { Dropout } from './dropout.ts';
import { ExpertSelection, SelectionPenalty } from './expert-selection.ts';
import { FoldFrames, UnfoldFrames } from './frames.ts';
import { Gelu } from './gelu.ts';
import { GlobalAverage } from './global-average.ts';
import { LayerNormalization } from './layer-normalization.ts';
import { Lstm } from './lstm.ts';
import { Mixture } from './mixture.ts';
import { ModalityTokens } from './modality-tokens.ts';
import { MultiHeadAttention } from './multi-head-attention.ts';
import { NormalizedSum } from './normalized-sum.ts';
import { PositionEmbedding } from './position-embedding.ts';
import { TokenEmbedding } from './token-embedding.ts';
import { TokenPool } from './token-pool.ts';

/**
 * Lets `loadLayersModel` read models with layers of this package, and gives the activation `gelu` of `tf.layers` a
 * gradient that is one kernel where the backend has it.
 *
 * @example
 * ```ts
 * import { registerLayers } from '@multigrad/models';
 *
 * registerLayers();
 * // now tfl.loadLayersModel(…) knows the layers that the encoders and fusions use
 * ```
 */
export function registerLayers(): void {
  tf.serialization.registerClass(BatchNormalization);
  tf.serialization.registerClass(Branch);
  tf.serialization.registerClass(ChannelGate);
  tf.serialization.registerClass(CrossStitch);
  tf.serialization.registerClass(Doubled);
  tf.serialization.registerClass(Dropout);
  tf.serialization.registerClass(ExpertSelection);
  tf.serialization.registerClass(FoldFrames);
  tf.serialization.registerClass(UnfoldFrames);
  tf.serialization.registerClass(Gelu);
  tf.serialization.registerClass(GlobalAverage);
  tf.serialization.registerClass(LayerNormalization);
  tf.serialization.registerClass(Lstm);
  tf.serialization.registerClass(Mixture);
  tf.serialization.registerClass(ModalityTokens);
  tf.serialization.registerClass(MultiHeadAttention);
  tf.serialization.registerClass(NormalizedSum);
  tf.serialization.registerClass(PositionEmbedding);
  tf.serialization.registerClass(SelectionPenalty);
  tf.serialization.registerClass(TokenEmbedding);
  tf.serialization.registerClass(TokenPool);
}
