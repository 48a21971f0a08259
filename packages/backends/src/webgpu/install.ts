import { getKernel } from '@tensorflow/tfjs-core';
import { installKernels } from '../registry/own-kernel.ts';
import { activationGradients } from './activations.ts';
import { addN } from './add-n.ts';
import { batchNormTraining, batchNormTrainingGrad } from './batch-norm.ts';
import { adamUpdate, momentumUpdate } from './optimizers.ts';
import type { WebGpu } from './program.ts';
import { sumOverRows } from './column-sums.ts';
import { combineRows, gramianOfRows } from './rows.ts';
import { sparseSoftmaxCrossEntropy } from './softmax.ts';

let installed = false;

/** Registers our kernels on the webgpu backend, once. */
export function installWebGpuKernels(): void {
  if (installed) return;
  installed = true;
  const kernels = [
    addN(getKernel('AddN', 'webgpu').kernelFunc),
    gramianOfRows,
    combineRows,
    momentumUpdate,
    adamUpdate,
    ...activationGradients,
    sumOverRows,
    batchNormTraining,
    batchNormTrainingGrad,
    sparseSoftmaxCrossEntropy,
  ];
  installKernels('webgpu', kernels, (backend) => backend as WebGpu);
}
