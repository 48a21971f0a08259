import type { TrainingKernel } from '@multigrad/core/kernels';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { inputOf, rowsOf, weightsOf } from '../registry/check-inputs.ts';
import type { AdamAttributes, MomentumAttributes } from '../registry/optimizer-attributes.ts';
import type { KernelCall } from '../registry/own-kernel.ts';
import { elementwise, mostInputs, type WebGpu, type WebGpuKernel } from './program.ts';
import { termsOf, weightedSum } from './rows.ts';

/** One step of gradient descent with momentum: a dispatch for the velocity, one for the variable. */
export const momentumUpdate: WebGpuKernel = {
  name: 'MomentumUpdate',
  run: (call, gpu) => {
    const { shape, own, gradient, end } = read(
      'MomentumUpdate',
      ['variable', 'velocity'],
      call,
      gpu,
    );
    const { learningRate, momentum, nesterov } = call.attrs as unknown as MomentumAttributes;
    const [variable, velocity] = own as [TensorInfo, TensorInfo];
    const next = elementwise(gpu, {
      name: `velocity ${gradient.name}`,
      inputs: { ...gradient.inputs, velocity },
      numbers: { ...gradient.numbers, momentum },
      shape,
      expression: `uniforms.momentum * velocity[index] + ${gradient.expression}`,
    });
    const direction = nesterov
      ? `next[index] - uniforms.momentum * velocity[index] + uniforms.momentum * next[index]`
      : 'next[index]';
    const moved = elementwise(gpu, {
      name: nesterov ? 'nesterov' : 'momentum',
      inputs: { theta: variable, next, ...(nesterov ? { velocity } : {}) },
      numbers: { rate: learningRate, ...(nesterov ? { momentum } : {}) },
      shape,
      expression: `theta[index] - uniforms.rate * (${direction})`,
    });
    end();
    return [moved, next];
  },
};

/** One step of Adam: a dispatch for each moment, one for the variable. */
export const adamUpdate: WebGpuKernel = {
  name: 'AdamUpdate',
  run: (call, gpu) => {
    const names = ['variable', 'mean', 'square'];
    const { shape, own, gradient, end } = read('AdamUpdate', names, call, gpu);
    const attributes = call.attrs as unknown as AdamAttributes;
    const { learningRate, beta1, beta2, epsilon, correction1, correction2 } = attributes;
    const [variable, mean, square] = own as [TensorInfo, TensorInfo, TensorInfo];
    const m = elementwise(gpu, {
      name: `mean ${gradient.name}`,
      inputs: { ...gradient.inputs, moment: mean },
      numbers: { ...gradient.numbers, beta: beta1, rest: 1 - beta1 },
      shape,
      expression: `uniforms.beta * moment[index] + uniforms.rest * (${gradient.expression})`,
    });
    const s = elementwise(gpu, {
      name: `square ${gradient.name}`,
      inputs: { ...gradient.inputs, moment: square },
      numbers: { ...gradient.numbers, beta: beta2, rest: 1 - beta2 },
      shape,
      expression: `uniforms.beta * moment[index] + uniforms.rest * squareOf(${gradient.expression})`,
      functions: 'fn squareOf(x : f32) -> f32 { return x * x; }',
    });
    const moved = elementwise(gpu, {
      name: 'adam',
      inputs: { theta: variable, m, s },
      numbers: {
        kept: 1 - learningRate * attributes.decoupledDecay,
        rate: learningRate / correction1,
        correction: correction2,
        epsilon,
      },
      shape,
      expression:
        'uniforms.kept * theta[index] - uniforms.rate * m[index] / (sqrt(s[index] / uniforms.correction) + uniforms.epsilon)',
    });
    end();
    return [moved, m, s];
  },
};

/** A gradient as an expression, `Σ_k weights[k] · row_k + weightDecay · variable`, with its buffers and numbers. */
interface GradientExpression {
  readonly name: string;
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly numbers: Readonly<Record<string, number>>;
  readonly expression: string;
}

/** The named inputs after a check, and the gradient; `end` disposes of what was made for it. */
function read(
  kernel: TrainingKernel,
  names: readonly string[],
  { inputs, attrs }: KernelCall,
  gpu: WebGpu,
): {
  readonly shape: readonly number[];
  readonly own: readonly TensorInfo[];
  readonly gradient: GradientExpression;
  readonly end: () => void;
} {
  const { shape } = inputOf(kernel, inputs, names[0]!);
  const own = names.map((name) => inputOf(kernel, inputs, name, shape));
  const given = rowsOf(kernel, inputs, names);
  const weights = weightsOf(kernel, attrs ?? {}, given.length);
  const { weightDecay } = attrs as unknown as { readonly weightDecay: number };
  // A shader reads the variable and one of its moments beside the rows.
  const summed =
    given.length > mostInputs(gpu) - 2
      ? weightedSum(gpu, { rows: given, weights }, mostInputs(gpu))
      : null;
  const rows = summed === null ? { rows: given, weights } : { rows: [summed], weights: [1] };
  const terms = termsOf(rows);
  const decays = weightDecay !== 0;
  return {
    shape,
    own,
    gradient: {
      name: `${rows.rows.length}${decays ? ' decayed' : ''}`,
      inputs: { ...terms.inputs, ...(decays ? { theta: own[0]! } : {}) },
      numbers: { ...terms.numbers, ...(decays ? { decay: weightDecay } : {}) },
      expression: decays ? `uniforms.decay * theta[index] + ${terms.sum}` : terms.sum,
    },
    end: () => {
      if (summed !== null) gpu.disposeData(summed.dataId);
    },
  };
}
