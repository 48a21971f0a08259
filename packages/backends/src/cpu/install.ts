import { conv2DBackpropFilter, conv2DBackpropInput } from './convolution-gradients.ts';
import { replaceCpuKernel } from './cpu-kernel.ts';
import { combineRows, gramianOfRows } from './rows.ts';

let installed = false;

/** Registers our kernels on the cpu backend, once. */
export function installCpuKernels(): void {
  if (installed) return;
  installed = true;
  for (const kernel of [conv2DBackpropFilter, conv2DBackpropInput, gramianOfRows, combineRows]) {
    replaceCpuKernel(kernel);
  }
}
