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
 * Kernels for int32 and bool, which stock kernels read as float32 or refuse. A bool has one byte: a kernel that writes
 * four damages the backend's memory. Layers use bool: causal attention selects among masks, and recurrent layers that go
 * backwards reverse masks. Results have the types that they have on the cpu backend.
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
    // Casts branches of two types to a common one. The stock kernel reads the second as if it had the type of the first.
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

/**
 * A kernel for booleans, which runs the same kernel on int32 0 and 1. In a boolean result, numbers other than 0 are true.
 */
function throughIntegers(
  name: string,
  names: readonly string[],
  type: DataType = 'bool',
): WasmKernel {
  return converted(name, names, ['bool'], 'int32', () => type);
}

/** A kernel for int32 and bool, which runs the same kernel on float32. The result has the type `type`, else the input's. */
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

/** A kernel with one result for all integers, which are finite. The stock kernel reads their bits as float32. */
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
