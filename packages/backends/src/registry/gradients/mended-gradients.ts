import { type GradConfig, registerGradient } from '@tensorflow/tfjs-core';
import { arrayGradients } from './arrays.ts';
import { batchNormGradient, completeBatchNorm } from './batch-norm.ts';
import { convolutionGradients } from './convolution.ts';
import { comparisonGradients, elementwiseGradients } from './elementwise.ts';
import { mendFusedConvolutions } from './fused-convolution.ts';
import { indexingGradients } from './indexing.ts';
import { poolingGradients } from './pooling.ts';
import { resizingGradients } from './resizing.ts';

/**
 * Gradients that TensorFlow.js lacks or computes wrongly, for every backend. They are made of operations that have
 * gradients themselves, so second derivatives can be computed too.
 */
export const mendedGradients: readonly GradConfig[] = [
  ...elementwiseGradients,
  ...comparisonGradients,
  ...arrayGradients,
  ...indexingGradients,
  ...convolutionGradients,
  ...poolingGradients,
  ...resizingGradients,
  batchNormGradient,
];

/**
 * Registers the mended gradients in place of TensorFlow.js's own. Call it again after an import that registers those
 * anew.
 */
export function installMendedGradients(): void {
  mendedGradients.forEach(registerGradient);
  completeBatchNorm();
  mendFusedConvolutions();
}
