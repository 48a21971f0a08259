import type { TrainingKernel } from '@multigrad/core/kernels';
import { inputOf, rowsOf, weightsOf } from '../registry/check-inputs.ts';
import type { AdamAttributes, MomentumAttributes } from '../registry/optimizer-attributes.ts';
import type { KernelCall } from '../registry/own-kernel.ts';
import { type CpuBackend, type CpuKernel, tensorOf, valuesOf } from './cpu-kernel.ts';

/** One step of gradient descent with momentum. */
export const momentumUpdate: CpuKernel = {
  name: 'MomentumUpdate',
  run: (call, backend) => {
    const names = ['variable', 'velocity'];
    const { shape, own, gradient } = read('MomentumUpdate', names, call, backend);
    const { learningRate, momentum, nesterov } = call.attrs as unknown as MomentumAttributes;
    const [theta, velocity] = own as [Float32Array, Float32Array];
    const v = velocity.map((value, i) => momentum * value + gradient[i]!);
    const next = theta.map((value, i) => {
      const direction = nesterov ? gradient[i]! + momentum * v[i]! : v[i]!;
      return value - learningRate * direction;
    });
    return [next, v].map((values) => tensorOf(backend, shape, values));
  },
};

/** One step of Adam. */
export const adamUpdate: CpuKernel = {
  name: 'AdamUpdate',
  run: (call, backend) => {
    const names = ['variable', 'mean', 'square'];
    const { shape, own, gradient } = read('AdamUpdate', names, call, backend);
    const attributes = call.attrs as unknown as AdamAttributes;
    const { learningRate, beta1, beta2, epsilon, correction1, correction2 } = attributes;
    const kept = 1 - learningRate * attributes.decoupledDecay;
    const [theta, mean, square] = own as [Float32Array, Float32Array, Float32Array];
    const m = mean.map((value, i) => beta1 * value + (1 - beta1) * gradient[i]!);
    const s = square.map((value, i) => beta2 * value + (1 - beta2) * gradient[i]! ** 2);
    const next = theta.map((value, i) => {
      const root = Math.sqrt(s[i]! / correction2) + epsilon;
      return kept * value - (learningRate * (m[i]! / correction1)) / root;
    });
    return [next, m, s].map((values) => tensorOf(backend, shape, values));
  },
};

/** The values of the named inputs, and `Σ_k weights[k] · row_k + weightDecay · variable` in float64. */
function read(
  kernel: TrainingKernel,
  names: readonly string[],
  { inputs, attrs }: KernelCall,
  backend: CpuBackend,
): { shape: number[]; own: Float32Array[]; gradient: Float64Array } {
  const { shape } = inputOf(kernel, inputs, names[0]!);
  const own = names.map((name) => valuesOf(backend, inputOf(kernel, inputs, name, shape)));
  const rows = rowsOf(kernel, inputs, names).map((row) => valuesOf(backend, row));
  const weights = weightsOf(kernel, attrs ?? {}, rows.length);
  const { weightDecay } = attrs as unknown as { weightDecay: number };
  const gradient = Float64Array.from(own[0]!, (value) => weightDecay * value);
  rows.forEach((row, k) => {
    for (let i = 0; i < row.length; i += 1) gradient[i]! += weights[k]! * row[i]!;
  });
  return { shape, own, gradient };
}
