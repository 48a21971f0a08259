import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';

/** What float16 makes of a number: 11 digits, zero below 2⁻²⁵, infinity from 65520 on; ties to even. */
export function toHalf(value: number): number {
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(value)) return value;
  const step = size < 2 ** -14 ? 2 ** -24 : 2 ** (Math.floor(Math.log2(size)) - 10);
  const down = Math.floor(size / step);
  const rest = size / step - down;
  const rounded = (rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down) * step;
  return Math.sign(value) * (rounded > 65504 ? Infinity : rounded);
}

class HalfBackend extends MathBackendCPU {
  override floatPrecision(): 16 {
    return 16;
  }
}

/**
 * Registers `half`: the cpu backend with every kernel's result rounded to float16, as backends do whose tensors are
 * textures of half precision. Scalars that are handed in stay float32 there too.
 */
export function registerHalfBackend(): void {
  if ((tf.findBackendFactory('half') as unknown) != null) return;
  tf.registerBackend('half', () => new HalfBackend(), 0);
  for (const config of tf.getKernelsForBackend('cpu')) {
    const kernelFunc: tf.KernelFunc = (call) => {
      const results = config.kernelFunc(call);
      const { data } = call.backend as Pick<MathBackendCPU, 'data'>;
      for (const { dataId, dtype } of [results].flat()) {
        if (dtype !== 'float32') continue;
        const values = data.get(dataId).values as Float32Array;
        values.forEach((value, index) => (values[index] = toHalf(value)));
      }
      return results;
    };
    tf.registerKernel({ ...config, backendName: 'half', kernelFunc });
  }
}
