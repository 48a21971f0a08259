import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core';
import { inputOf } from '../registry/check-inputs.ts';
import type { KernelHeap } from './kernel-heap.ts';
import type { WasmKernel } from './wasm-kernel.ts';

type Dilation2DArguments = Parameters<typeof backend_util.computeDilation2DInfo>;

interface DilationAttributes {
  readonly strides: Dilation2DArguments[2];
  readonly pad: Dilation2DArguments[3];
  readonly dilations: Dilation2DArguments[5];
}

/** Called for each output, with the offsets of the output and of the numbers of input and filter that make its maximum. */
type Visit = (output: number, input: number, tap: number) => void;

/**
 * Grey-scale dilation: the maximum of `x + filter` over each window. The stock kernel starts from a tiny positive number,
 * and so loses negative maxima.
 */
export const dilation2D: WasmKernel = {
  name: 'Dilation2D',
  run: (call, heap) => {
    const { x, filter } = inputsOf('Dilation2D', call);
    const info = geometryOf(x, filter, call.attrs);
    const out = heap.output(info.outShape, x.dtype);
    const [X, F, Y] = [heap.values(x), heap.values(filter), heap.values(out)];
    eachMaximum(info, X, F, (output, input, tap) => {
      Y[output] = input < 0 ? -Infinity : X[input]! + F[tap]!;
    });
    return out;
  },
};

/**
 * Gradients of dilation: each output's gradient is added at the number of the input, or of the filter, that makes its
 * maximum.
 */
export const dilation2DGradients: readonly WasmKernel[] = [
  gradientOf('Dilation2DBackpropInput', 'x'),
  gradientOf('Dilation2DBackpropFilter', 'filter'),
];

function gradientOf(name: string, by: 'x' | 'filter'): WasmKernel {
  return {
    name,
    run: (call, heap) => {
      const { x, filter } = inputsOf(name, call);
      const info = geometryOf(x, filter, call.attrs);
      const dy = inputOf(name, call.inputs, 'dy', info.outShape);
      const out = heap.output(by === 'x' ? x.shape : filter.shape);
      heap.clear(out);
      const [X, F, D, G] = [x, filter, dy, out].map((tensor) => heap.values(tensor));
      eachMaximum(info, X!, F!, (output, input, tap) => {
        if (input >= 0) G![by === 'x' ? input : tap]! += D![output]!;
      });
      return out;
    },
  };
}

function inputsOf(
  name: string,
  { inputs }: Parameters<WasmKernel['run']>[0],
): Record<'x' | 'filter', TensorInfo> {
  const dtype = inputs['x']?.dtype === 'int32' ? 'int32' : 'float32';
  const x = inputOf(name, inputs, 'x', undefined, dtype);
  const [rows, columns] = inputs['filter']?.shape ?? [];
  const shape = [rows ?? 0, columns ?? 0, x.shape.at(-1)!];
  return { x, filter: inputOf(name, inputs, 'filter', shape, dtype) };
}

function geometryOf(
  x: TensorInfo,
  filter: TensorInfo,
  attributes: unknown,
): backend_util.Conv2DInfo {
  const { strides, pad, dilations } = attributes as DilationAttributes;
  return backend_util.computeDilation2DInfo(
    x.shape as Dilation2DArguments[0],
    filter.shape as Dilation2DArguments[1],
    strides,
    pad,
    'NHWC',
    dilations,
  );
}

/** Calls `visit` for each output with the place of its first maximum; the input's is -1 for a window outside the input. */
function eachMaximum(
  info: backend_util.Conv2DInfo,
  x: ReturnType<KernelHeap['values']>,
  filter: ReturnType<KernelHeap['values']>,
  visit: Visit,
): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info;
  let output = 0;
  for (let n = 0; n < batchSize; n += 1) {
    for (let i = 0; i < outHeight; i += 1) {
      for (let j = 0; j < outWidth; j += 1) {
        for (let c = 0; c < inChannels; c += 1, output += 1) {
          let [input, tap, most] = [-1, 0, 0];
          for (let kh = 0; kh < info.filterHeight; kh += 1) {
            const row = i * info.strideHeight - padInfo.top + kh * info.dilationHeight;
            if (row < 0 || row >= inHeight) continue;
            for (let kw = 0; kw < info.filterWidth; kw += 1) {
              const column = j * info.strideWidth - padInfo.left + kw * info.dilationWidth;
              if (column < 0 || column >= inWidth) continue;
              const at = ((n * inHeight + row) * inWidth + column) * inChannels + c;
              const weight = (kh * info.filterWidth + kw) * inChannels + c;
              const value = x[at]! + filter[weight]!;
              if (input < 0 || value > most) [input, tap, most] = [at, weight, value];
            }
          }
          visit(output, input, tap);
        }
      }
    }
  }
}
