import { seededUniform, type UniformKey } from '@multigrad/core/kernels';
import { inputOf } from '../registry/check-inputs.ts';
import { type CpuKernel, tensorOf, valuesOf } from './cpu-kernel.ts';

const rootTwoOverPi = Math.sqrt(2 / Math.PI);

/** The activation `x Φ(x)` with Φ the normal distribution function, or its approximation by tanh. */
export const gelu: CpuKernel = {
  name: 'Gelu',
  run: ({ inputs, attrs }, backend) => {
    const x = inputOf('Gelu', inputs, 'x');
    const { approximate } = attrs as unknown as { approximate: boolean };
    const values = valuesOf(backend, x).map((v) => v * share(v, approximate));
    return tensorOf(backend, x.shape, values);
  },
};

/** The gradient of `Gelu` with respect to x: `dy` times the derivative at x. */
export const geluGrad: CpuKernel = {
  name: 'GeluGrad',
  run: ({ inputs, attrs }, backend) => {
    const dy = inputOf('GeluGrad', inputs, 'dy');
    const X = valuesOf(backend, inputOf('GeluGrad', inputs, 'x', dy.shape));
    const { approximate } = attrs as unknown as { approximate: boolean };
    const values = valuesOf(backend, dy).map((d, i) => d * slope(X[i]!, approximate));
    return tensorOf(backend, dy.shape, values);
  },
};

/** Dropout whose mask is a function of a key. */
export const seededDropout: CpuKernel = {
  name: 'SeededDropout',
  run: ({ inputs, attrs }, backend) => {
    const x = inputOf('SeededDropout', inputs, 'x');
    const { rate, key } = attrs as unknown as { rate: number; key: UniformKey };
    const values = valuesOf(backend, x).map((v, i) =>
      seededUniform(key, i) >= rate ? v / (1 - rate) : 0,
    );
    return tensorOf(backend, x.shape, values);
  },
};

/** The factor of `x` in `gelu(x)`. */
function share(x: number, approximate: boolean): number {
  if (!approximate) return normalDistribution(x);
  return (1 + Math.tanh(rootTwoOverPi * (x + 0.044715 * x ** 3))) / 2;
}

/** The derivative of `gelu` at x. */
function slope(x: number, approximate: boolean): number {
  if (!approximate) {
    return normalDistribution(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
  }
  const tanh = 2 * share(x, true) - 1;
  const inner = rootTwoOverPi * (1 + 3 * 0.044715 * x * x);
  return (1 + tanh) / 2 + (x * (1 - tanh * tanh) * inner) / 2;
}

/** The normal distribution function, `erfc(−x/√2) / 2`. A Chebyshev fit gives erfc with a relative error of 1.2e-7. */
function normalDistribution(x: number): number {
  const z = Math.abs(x) * Math.SQRT1_2;
  const t = 1 / (1 + z / 2);
  const exponent = fit.reduceRight((sum, coefficient) => sum * t + coefficient, 0);
  const tail = (t * Math.exp(exponent - z * z)) / 2;
  return x < 0 ? tail : 1 - tail;
}

/** Coefficients of the Chebyshev fit, in rising powers of t. */
const fit = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
  -0.82215223, 0.17087277,
];
