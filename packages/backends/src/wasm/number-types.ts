import {
  cast,
  type DataType,
  engine,
  notEqual,
  ones,
  type Tensor,
  tidy,
  upcastType,
  zeros,
} from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-kernel.ts';

/**
 * Kernels for int32 and bool, which stock kernels take for float32 or not at all. A bool has one byte: written as four, it
 * damages the backend's memory. Layers meet it: causal attention chooses among masks, recurrent layers that go backwards
 * reverse them. Results have the types that they have on cpu.
 */
export const numberTypes: readonly WasmKernel[] = [
  ...['Reverse', 'Abs', 'Neg', 'Relu', 'Sign', 'Square', 'Step'].map((name) =>
    throughIntegers(name, ['x']),
  ),
  throughIntegers('Select', ['t', 'e']),
  throughIntegers('Mod', ['a', 'b']),
  throughIntegers('FloorDiv', ['a', 'b'], 'int32'),
  ...[
    'Acos',
    'Acosh',
    'Asin',
    'Asinh',
    'Atan',
    'Atanh',
    'Log1p',
    'Reciprocal',
    'Round',
    'Selu',
  ].map((name) => throughFloats(name, ['x'])),
  ...['Sinh', 'Softplus', 'ResizeNearestNeighbor', 'MaxPool'].map((name) =>
    throughFloats(name, ['x', 'images']),
  ),
  ...['Exp', 'Expm1', 'LeakyRelu'].map((name) => throughFloats(name, ['x'], 'float32')),
  ...['Softmax', 'LogSoftmax'].map((name) => throughFloats(name, ['logits'], 'float32')),
  throughFloats('Atan2', ['a', 'b']),
  constantOfIntegers('IsNan', zeros),
  constantOfIntegers('IsInf', zeros),
  constantOfIntegers('IsFinite', ones),
  {
    // Two types of which the stock kernel takes the second for the first.
    name: 'Select',
    run: ({ inputs }) => {
      const { condition, t, e } = inputs as Record<'condition' | 't' | 'e', Tensor>;
      if (t.dtype === e.dtype) return null;
      const common = upcastType(t.dtype, e.dtype);
      return tidy(() =>
        engine().runKernel<Tensor>('Select', {
          condition,
          t: cast(t, common),
          e: cast(e, common),
        }),
      );
    },
  },
  {
    name: 'TopK',
    run: ({ inputs, attrs }) => {
      const { x } = inputs as Record<'x', Tensor>;
      if (x.dtype !== 'bool') return null;
      return tidy(() => {
        const numbers = { x: cast(x, 'int32') };
        const [values, indices] = engine().runKernel<Tensor[]>('TopK', numbers, { ...attrs });
        return [notEqual(values!, 0), indices!];
      });
    },
  },
];

/** A kernel on booleans by the same kernel on 0 and 1; what is not 0 then is true. */
function throughIntegers(
  name: string,
  names: readonly string[],
  type: DataType = 'bool',
): WasmKernel {
  return converted(name, names, ['bool'], 'int32', () => type);
}

/** A kernel on int32 and bool by the same kernel on float32; the result has the input's type where none is named. */
function throughFloats(name: string, names: readonly string[], type?: DataType): WasmKernel {
  return converted(name, names, ['int32', 'bool'], 'float32', (dtype) => type ?? dtype);
}

function converted(
  name: string,
  names: readonly string[],
  from: readonly DataType[],
  to: DataType,
  typeOf: (dtype: DataType) => DataType,
): WasmKernel {
  return {
    name,
    run: ({ inputs, attrs }) => {
      const given = Object.entries(inputs as Record<string, Tensor>);
      const { dtype } = given.find(([key]) => names.includes(key))![1];
      if (!from.includes(dtype)) return null;
      return tidy(() => {
        const numbers = given.map(([key, x]) => [key, names.includes(key) ? cast(x, to) : x]);
        const result = engine().runKernel<Tensor>(name, Object.fromEntries(numbers) as never, {
          ...attrs,
        });
        const type = typeOf(dtype);
        return type === 'bool' ? notEqual(cast(result, 'int32'), 0) : cast(result, type);
      });
    },
  };
}

/** Integers are finite numbers; the stock kernel takes their bits for a float32. */
function constantOfIntegers(
  name: string,
  make: (shape: number[], dtype: 'bool') => Tensor,
): WasmKernel {
  return {
    name,
    run: ({ inputs }) => {
      const { x } = inputs as Record<'x', Tensor>;
      return x.dtype === 'float32' ? null : make(x.shape, 'bool');
    },
  };
}
