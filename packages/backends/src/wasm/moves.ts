import {
  engine,
  gather,
  notEqual,
  range,
  reshape,
  slice_util,
  type Tensor,
  tensor,
  tidy,
  zeros,
  cast,
} from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-kernel.ts';

/**
 * Kernels for booleans that stock ones do wrong. Choice and reversal move cells of four bytes, so for booleans, which have
 * one, they write beyond the output and the backend's memory is damaged: layers choose among masks (causal attention) and
 * reverse them (recurrent layers that go backwards). The others leave the output unset and write a line to the console.
 */
export const booleanKernels: readonly WasmKernel[] = [
  throughIntegers('Select', ['t', 'e']),
  throughIntegers('Reverse', ['x']),
  ...['Abs', 'Neg', 'Relu', 'Sign', 'Square', 'Step'].map((name) => throughIntegers(name, ['x'])),
  throughIntegers('Mod', ['a', 'b']),
];

/** No integer is NaN; the stock kernel takes its bits for a float32, of which negative ones are. */
export const isNaNOfIntegers: WasmKernel = {
  name: 'IsNan',
  run: ({ inputs }) => {
    const { x } = inputs as Record<'x', Tensor>;
    return x.dtype === 'float32' ? null : zeros(x.shape, 'bool');
  },
};

function throughIntegers(name: string, moved: readonly string[]): WasmKernel {
  return {
    name,
    run: ({ inputs, attrs }) => {
      if (inputs[moved[0]!]!.dtype !== 'bool') return null;
      return tidy(() => {
        const given = Object.fromEntries(
          Object.entries(inputs as Record<string, Tensor>).map(([key, x]) => [
            key,
            moved.includes(key) ? cast(x, 'int32') : x,
          ]),
        );
        return notEqual(engine().runKernel<Tensor>(name, given, { ...attrs }), 0);
      });
    },
  };
}

interface StridedSliceAttributes {
  readonly begin: number[];
  readonly end: number[];
  readonly strides: number[];
  readonly beginMask: number;
  readonly endMask: number;
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  readonly shrinkAxisMask: number;
}

/** Strided slices of integers and booleans, which the stock kernel takes for float32. */
export const stridedSlice: WasmKernel = {
  name: 'StridedSlice',
  run: ({ inputs, attrs }) => {
    const { x } = inputs as Record<'x', Tensor>;
    if (x.dtype === 'float32') return null;
    const given = attrs as unknown as StridedSliceAttributes;
    const { begin, end, strides, finalShape } = slice_util.sliceInfo(
      x.shape,
      given.begin,
      given.end,
      given.strides,
      given.beginMask,
      given.endMask,
      given.ellipsisMask,
      given.newAxisMask,
      given.shrinkAxisMask,
    );
    if (finalShape.includes(0)) return tensor([], finalShape, x.dtype);
    return tidy(() => {
      const chosen = begin.reduce(
        (rest: Tensor, first, axis) =>
          gather(rest, range(first, end[axis]!, strides[axis], 'int32'), axis),
        x,
      );
      return reshape(chosen, finalShape);
    });
  },
};
