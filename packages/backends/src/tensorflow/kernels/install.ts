import { installKernels } from '../../registry/own-kernel.ts';
import { backendName, type NodeBackend } from '../node-backend.ts';
import { activationGradients } from './activations.ts';
import { batchNormInferenceGrad, batchNormTraining, batchNormTrainingGrad } from './batch-norm.ts';
import { gelu, geluGrad } from './gelu.ts';
import { layerNorm, layerNormGrad } from './layer-norm.ts';
import type { NativeKernel } from './native-kernel.ts';
import { adamUpdate, combineRows, gramianOfRows, momentumUpdate } from './rows.ts';
import { logSoftmaxGrad, softmaxGrad, sparseSoftmaxCrossEntropy } from './softmax.ts';
import { conv2DBackpropInput, maxPoolGrad } from './windows.ts';

/** Kernels that are ops of TensorFlow: on every device, in any copy of `@tensorflow/tfjs-node`. */
const opKernels: readonly NativeKernel[] = activationGradients;

/** Kernels that our builds bring, for tensors in the memory of the processor. */
const addonKernels: readonly NativeKernel[] = [
  gramianOfRows,
  combineRows,
  momentumUpdate,
  adamUpdate,
  batchNormTraining,
  batchNormTrainingGrad,
  batchNormInferenceGrad,
  layerNorm,
  layerNormGrad,
  gelu,
  geluGrad,
  softmaxGrad,
  logSoftmaxGrad,
  sparseSoftmaxCrossEntropy,
  maxPoolGrad,
  conv2DBackpropInput,
];

let installed = false;

/** Registers our kernels on native TensorFlow, once. */
export function installNativeKernels({ binding }: NodeBackend): void {
  if (installed) return;
  installed = true;
  const own = binding.kernels !== undefined && !binding.isUsingGpuDevice() ? addonKernels : [];
  installKernels(backendName, [...opKernels, ...own], (backend) => backend as NodeBackend);
}
