/** Element types of the format, with the bytes that one element takes. */
export const elementBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

/** Name of an element type, as the format writes it. */
export type SafetensorsDtype = keyof typeof elementBytes;

/** Whether a word names an element type of the format. */
export function isDtype(word: unknown): word is SafetensorsDtype {
  return typeof word === 'string' && Object.hasOwn(elementBytes, word);
}

/** One tensor of a file: its type, its shape, and its elements as little-endian bytes in row-major order. */
export interface RawTensor {
  readonly dtype: SafetensorsDtype;
  /** Sizes of the axes, integers >= 0; empty for a scalar. */
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The content of a file of the format. */
export interface SafetensorsFile {
  /** By name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, RawTensor>;
  /** Texts that the writer of the file added. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Bytes that a tensor of this type and shape takes; null where that is more than an integer can hold exactly, or a size
 * is no integer >= 0.
 */
export function byteLength(dtype: SafetensorsDtype, shape: readonly unknown[]): number | null {
  let bytes: number = elementBytes[dtype];
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || (size as number) < 0) return null;
    bytes *= size as number;
    if (!Number.isSafeInteger(bytes)) return null;
  }
  return bytes;
}
