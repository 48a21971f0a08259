import { batchMatMul } from '../registry/broadcast-product.ts';
import { broadcastBatchNorm } from '../registry/broadcast-batch-norm.ts';
import { einsumByProducts } from '../registry/einsum.ts';
import { argumentChecks } from '../registry/argument-checks.ts';
import { edges } from '../registry/edges.ts';
import { denseBincount, tensorScatterUpdate } from './counting.ts';
import { stridedSlice } from '../registry/strided-slice.ts';
import { installKernels } from '../registry/own-kernel.ts';
import { activationGradients } from './activations.ts';
import { attention, attentionGrad } from './attention.ts';
import { batchNormInferenceGrad, batchNormTraining, batchNormTrainingGrad } from './batch-norm.ts';
import { conv2DBackpropFilter, conv2DBackpropInput } from './convolution-gradients.ts';
import { type CpuBackend, type CpuKernel, valuesOf } from './cpu-kernel.ts';
import { gelu, geluGrad, seededDropout } from './gelu.ts';
import { layerNorm, layerNormGrad } from './layer-norm.ts';
import { gru, gruGrad } from './gru.ts';
import { lstm, lstmGrad } from './lstm.ts';
import { poolingGradients } from './pooling.ts';
import { resizingGradients } from './resizing.ts';
import { unsortedSegmentSum } from './segment-sum.ts';
import { adamUpdate, momentumUpdate } from './optimizers.ts';
import { combineRows, finiteRows, gramianOfProducts, gramianOfRows } from './rows.ts';
import { logSoftmaxGrad, softmaxGrad, sparseSoftmaxCrossEntropy } from './softmax.ts';

/** Every kernel that we bring to the cpu backend. */
export const cpuKernels: readonly CpuKernel[] = [
  conv2DBackpropFilter,
  conv2DBackpropInput,
  ...poolingGradients,
  ...resizingGradients,
  unsortedSegmentSum,
  denseBincount,
  stridedSlice,
  tensorScatterUpdate,
  batchMatMul,
  einsumByProducts,
  broadcastBatchNorm,
  gramianOfRows,
  gramianOfProducts,
  combineRows,
  finiteRows,
  ...activationGradients,
  softmaxGrad,
  logSoftmaxGrad,
  sparseSoftmaxCrossEntropy,
  batchNormInferenceGrad,
  batchNormTraining,
  batchNormTrainingGrad,
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
  momentumUpdate,
  adamUpdate,
];

let installed = false;

/** Registers our kernels on the cpu backend, once. */
export function installCpuKernels(): void {
  if (installed) return;
  installed = true;
  installKernels('cpu', cpuKernels, (backend) => backend as CpuBackend);
  installKernels('cpu', edges, () => null);
  installKernels('cpu', argumentChecks(valuesOf), (backend) => backend as CpuBackend);
}
