import { broadcastBatchNorm } from '../registry/broadcast-batch-norm.ts';
import { einsumByProducts } from '../registry/einsum.ts';
import { argumentChecks } from '../registry/argument-checks.ts';
import { edges } from '../registry/edges.ts';
import { wasmStridedSlice } from '../registry/strided-slice.ts';
import { installKernels } from '../registry/own-kernel.ts';
import { activationGradients } from './activations.ts';
import { attention, attentionGrad } from './attention.ts';
import { batchNormInferenceGrad, batchNormTraining, batchNormTrainingGrad } from './batch-norm.ts';
import { conv2D, conv2DBackpropFilter, conv2DBackpropInput, fusedConv2D } from './convolution.ts';
import { conv3DBackpropFilter, conv3DBackpropInput } from './convolution-3d.ts';
import { depthwiseBackpropFilter, depthwiseBackpropInput } from './depthwise.ts';
import { cast, clipByValue, extremes, oneHot, prelu, relu6 } from './elementwise.ts';
import { dilation2D, dilation2DGradients } from './dilation.ts';
import { gatherV2 } from './gather.ts';
import { resizeNearestNeighborGrad } from './resizing.ts';
import { identity } from './identity.ts';
import { KernelHeap } from './kernel-heap.ts';
import { batchMatMul, fusedMatMul } from './matmul.ts';
import { maxPoolGrad } from './pooling.ts';
import { maxPoolWithArgmax } from './argmax-pooling.ts';
import { depthwiseConvolutions } from './convolution-steps.ts';
import { averagePooling } from './pooling-average.ts';
import { maxPool, maxPool3D, maxPool3DGrad } from './pooling-3d.ts';
import { mean, sum } from './reductions.ts';
import { numberTypes } from './number-types.ts';

import { gelu, geluGrad, seededDropout } from './gelu.ts';
import { layerNorm, layerNormGrad } from './layer-norm.ts';
import { gru, gruGrad } from './gru.ts';
import { lstm, lstmGrad } from './lstm.ts';
import { adamUpdate, momentumUpdate } from './optimizers.ts';
import { combineRows, finiteRows, gramianOfProducts, gramianOfRows } from './rows.ts';
import { logSoftmaxGrad, softmaxGrad, sparseSoftmaxCrossEntropy } from './softmax.ts';
import { unsortedSegmentSum } from './segment-sum.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** Every kernel that we bring to the wasm backend. */
export const wasmKernels: readonly WasmKernel[] = [
  conv2D,
  fusedConv2D,
  conv2DBackpropFilter,
  conv2DBackpropInput,
  conv3DBackpropFilter,
  conv3DBackpropInput,
  depthwiseBackpropFilter,
  depthwiseBackpropInput,
  maxPoolGrad,
  maxPool3D,
  maxPool3DGrad,
  maxPool,
  ...averagePooling,
  dilation2D,
  ...dilation2DGradients,
  gatherV2,
  resizeNearestNeighborGrad,
  prelu,
  clipByValue,
  relu6,
  ...extremes,
  cast,
  oneHot,
  batchMatMul,
  fusedMatMul,
  sum,
  mean,
  identity,
  ...numberTypes,
  wasmStridedSlice,
  maxPoolWithArgmax,
  ...depthwiseConvolutions,
  unsortedSegmentSum,
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

/** Registers our kernels on the wasm backend, once, and prepares them for this instance of it. */
export async function installWasmKernels(backend: object, threads = 1): Promise<KernelHeap> {
  const heap = await KernelHeap.prepare(backend, threads);
  if (!installed) {
    installed = true;
    const kernels = wasmKernels.map(({ name, run }): WasmKernel => ({
      name,
      run: (call, heap) => heap.attempt(name, () => run(call, heap)),
    }));
    installKernels('wasm', kernels, (each) => KernelHeap.of(each));
    const checks = argumentChecks<KernelHeap>((heap, tensor) => heap.values(tensor));
    installKernels('wasm', edges, () => null);
    installKernels('wasm', checks, (each) => KernelHeap.of(each));
  }
  return heap;
}
