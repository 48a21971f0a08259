import { installKernels } from '../../registry/own-kernel.ts';
import { backendName, type NodeBackend } from '../node-backend.ts';
import { activationGradients } from './activations.ts';
import { attention, attentionGrad } from './attention.ts';
import { batchNormInferenceGrad, batchNormTraining, batchNormTrainingGrad } from './batch-norm.ts';
import { seededDropout } from './dropout.ts';
import { gatherV2, prelu, round } from './elementwise.ts';
import { gelu, geluGrad } from './gelu.ts';
import { layerNorm, layerNormGrad } from './layer-norm.ts';
import { gru, gruGrad } from './gru.ts';
import { lstm, lstmGrad } from './lstm.ts';
import { mergedBatches } from './merged-batches.ts';
import type { NativeKernel } from './native-kernel.ts';
import { batchMatMul, fusedMatMul } from './products.ts';
import { mean, sum, unsortedSegmentSum } from './reductions.ts';
import {
  adamUpdate,
  combineRows,
  finiteRows,
  gramianOfProducts,
  gramianOfRows,
  momentumUpdate,
} from './rows.ts';
import { logSoftmaxGrad, softmaxGrad, sparseSoftmaxCrossEntropy } from './softmax.ts';
import { cast, reshape } from './views.ts';
import {
  conv2D,
  conv2DBackpropFilter,
  conv2DBackpropInput,
  fusedConv2D,
  maxPoolGrad,
} from './windows.ts';

/** Kernels made of ops of TensorFlow. They run on every device and in any copy of `@tensorflow/tfjs-node`. */
const opKernels: readonly NativeKernel[] = [
  ...activationGradients,
  mergedBatches,
  cast,
  round,
  prelu,
  gatherV2,
];

/**
 * Kernels that need our builds, for tensors in the memory of the processor. Each calls the addon's kernel named `calls`, or
 * else the one of its own name.
 */
const addonKernels: readonly (NativeKernel & { readonly calls?: string })[] = [
  gramianOfRows,
  gramianOfProducts,
  combineRows,
  finiteRows,
  momentumUpdate,
  adamUpdate,
  batchNormTraining,
  batchNormTrainingGrad,
  batchNormInferenceGrad,
  layerNorm,
  layerNormGrad,
  gelu,
  geluGrad,
  seededDropout,
  lstm,
  lstmGrad,
  gru,
  gruGrad,
  attention,
  attentionGrad,
  softmaxGrad,
  logSoftmaxGrad,
  sparseSoftmaxCrossEntropy,
  reshape,
  { ...batchMatMul, calls: 'MatrixProducts' },
  { ...fusedMatMul, calls: 'MatrixProducts' },
  { ...sum, calls: 'Sums' },
  { ...mean, calls: 'Sums' },
  { ...unsortedSegmentSum, calls: 'SegmentSum' },
  maxPoolGrad,
  { ...conv2DBackpropInput, calls: 'NarrowInputGradient' },
  { ...conv2D, calls: 'SmallMapConvolution' },
  { ...fusedConv2D, calls: 'BiasActivation' },
  { ...conv2DBackpropFilter, calls: 'SmallMapFilterGradient' },
];

let installed = false;

/** Registers our kernels on native TensorFlow, once. */
export function installNativeKernels({ binding }: NodeBackend): void {
  if (installed) return;
  installed = true;
  // A build of an earlier version of multigrad may lack some kernels. On a GPU they cannot reach the tensors.
  const present = binding.isUsingGpuDevice() ? [] : (binding.kernels ?? []);
  const own = addonKernels.filter(({ name, calls }) => present.includes(calls ?? name));
  installKernels(backendName, [...opKernels, ...own], (backend) => backend as NodeBackend);
}
