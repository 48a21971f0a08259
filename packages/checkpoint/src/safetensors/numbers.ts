import { MultigradError } from '@multigrad/core/strategy';
import type { RawTensor, SafetensorsDtype } from './dtypes.ts';

/** An array that holds a tensor's elements in JavaScript. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

interface ArrayKind {
  readonly name: string;
  new (buffer: ArrayBuffer): NumberArray;
}

/** Element types that JavaScript has a typed array of numbers for. */
export type NumberDtype = Exclude<
  SafetensorsDtype,
  'F16' | 'BF16' | 'F8_E4M3' | 'F8_E5M2' | 'I64' | 'U64'
>;

const arrays: Readonly<Record<NumberDtype, ArrayKind>> = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

/**
 * A float32 tensor of a file from its numbers, in row-major order.
 *
 * @throws MultigradError `unsupported` on a machine whose numbers are not little-endian
 *
 * @example
 * ```ts
 * import { float32Tensor, toFloat32 } from '@multigrad/checkpoint/safetensors';
 *
 * console.log(toFloat32(float32Tensor([1, 2], [0.5, 1]))); // Float32Array(2) [ 0.5, 1 ]
 * ```
 */
export function float32Tensor(shape: readonly number[], values: ArrayLike<number>): RawTensor {
  return rawTensor('F32', shape, Float32Array.from(values));
}

/**
 * A tensor of a file from a typed array, whose bytes it shares.
 *
 * @param values - of the type's own kind: an Int32Array for `I32`, a Uint8Array of 0 and 1 for `BOOL`
 * @throws MultigradError `invalid-argument` for another kind of array, `unsupported` on a machine whose numbers are not
 *   little-endian
 *
 * @example
 * ```ts
 * import { rawTensor } from '@multigrad/checkpoint/safetensors';
 *
 * console.log(rawTensor('I32', [2], Int32Array.of(1, 2)).bytes.length); // 8
 * ```
 */
export function rawTensor(
  dtype: NumberDtype,
  shape: readonly number[],
  values: NumberArray,
): RawTensor {
  checkByteOrder();
  if (!(values instanceof arrays[dtype])) {
    throw new MultigradError(
      'invalid-argument',
      `Elements of type ${dtype} should be a ${arrays[dtype].name}. Found a ${values.constructor.name}.`,
    );
  }
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { dtype, shape: [...shape], bytes };
}

/**
 * A tensor's elements as float32, rounded where its type is finer: F32, F64, F16, BF16, and integers of up to 64 bits;
 * booleans as 0 and 1.
 *
 * @returns a copy
 * @throws MultigradError `unsupported` for float8 types
 *
 * @example
 * ```ts
 * import { toFloat32 } from '@multigrad/checkpoint/safetensors';
 *
 * const half = { dtype: 'F16', shape: [1], bytes: Uint8Array.of(0x00, 0x3e) } as const;
 * console.log(toFloat32(half)); // Float32Array(1) [ 1.5 ]
 * ```
 */
export function toFloat32({ dtype, bytes }: RawTensor): Float32Array {
  checkByteOrder();
  const buffer = copyOf(bytes);
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'F16':
      return Float32Array.from(new Uint16Array(buffer), halfToNumber);
    case 'BF16':
      return new Float32Array(
        Uint32Array.from(new Uint16Array(buffer), (half) => half << 16).buffer,
      );
    case 'I64':
      return Float32Array.from(new BigInt64Array(buffer), Number);
    case 'U64':
      return Float32Array.from(new BigUint64Array(buffer), Number);
    case 'F8_E4M3':
    case 'F8_E5M2':
      throw new MultigradError('unsupported', `Elements of type ${dtype} cannot be read here.`);
    default:
      return Float32Array.from(new arrays[dtype](buffer));
  }
}

/**
 * A tensor's elements in the typed array of its own type; a copy.
 *
 * @throws MultigradError `unsupported` for types that JavaScript has no typed array of numbers for
 *
 * @example
 * ```ts
 * import { rawTensor, toNumbers } from '@multigrad/checkpoint/safetensors';
 *
 * console.log(toNumbers(rawTensor('I32', [2], Int32Array.of(1, 2)))); // Int32Array(2) [ 1, 2 ]
 * ```
 */
export function toNumbers({ dtype, bytes }: RawTensor): NumberArray {
  checkByteOrder();
  if (Object.hasOwn(arrays, dtype)) return new arrays[dtype as NumberDtype](copyOf(bytes));
  throw new MultigradError('unsupported', `Elements of type ${dtype} should be read by toFloat32.`);
}

/** A copy begins at an address that any element type may begin at. (A Buffer's `slice` would make none.) */
function copyOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** IEEE 754 binary16: sign, five bits of exponent, ten of fraction. */
function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function checkByteOrder(): void {
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] === 1) return;
  throw new MultigradError(
    'unsupported',
    'Files of the safetensors format are little-endian, and the numbers of this machine are not.',
  );
}
