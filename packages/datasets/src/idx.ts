import { MultigradError } from '@multigrad/core/strategy';

/** The content of an IDX file: unsigned bytes in row-major order, and their shape. */
export interface IdxArray {
  /** Size of each dimension; the first one counts the samples. */
  readonly shape: readonly number[];
  /** The values, 0 to 255: a view of the bytes that were parsed, not a copy. */
  readonly values: Uint8Array;
}

/** Names of the element types that IDX knows, by type byte; MNIST and its kin use unsigned bytes alone. */
const typeNames: Readonly<Record<number, string>> = {
  0x08: 'unsigned byte',
  0x09: 'signed byte',
  0x0b: 'short',
  0x0c: 'int',
  0x0d: 'float',
  0x0e: 'double',
};
const unsignedByte = 0x08;

/**
 * Reads an IDX file of unsigned bytes, the format of MNIST and its kin.
 *
 * Layout, big-endian: two zero bytes, the element type (8 for unsigned bytes), the number of dimensions d, d sizes of
 * 32 bits each, then the elements.
 *
 * @param bytes - the whole file, uncompressed
 * @param where - what to call it in error messages: a path or an address
 * @throws MultigradError `invalid-data` when the file is no IDX file of unsigned bytes, is cut short or goes on after
 * its last element; the message names `where`, what was found and what was expected
 *
 * @example
 * ```ts
 * import { parseIdx } from '@multigrad/datasets';
 *
 * const bytes = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60);
 * const { shape, values } = parseIdx(bytes, 'example');
 * console.log(shape, values[5]); // [ 2, 3 ] 60
 * ```
 *
 * @see The MNIST database of handwritten digits, section "File formats"
 */
export function parseIdx(bytes: Uint8Array, where: string): IdxArray {
  const fail = (found: string, expected: string): never => {
    throw new MultigradError('invalid-data', `${where}: expected ${expected}. Found ${found}.`);
  };
  if (bytes.length < 4) fail(`${bytes.length} bytes`, 'an IDX file, at least 4 bytes');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [type, dimensions] = [view.getUint8(2), view.getUint8(3)];
  if (view.getUint16(0) !== 0) {
    const compressed = view.getUint16(0) === 0x1f8b;
    fail(
      compressed ? 'gzip-compressed data' : hex(view.getUint16(0), 4),
      'an IDX file, which starts with two zero bytes',
    );
  }
  if (type !== unsignedByte) {
    fail(
      `type ${hex(type, 2)} (${typeNames[type] ?? 'unknown'})`,
      `elements of type ${hex(unsignedByte, 2)} (${typeNames[unsignedByte]!})`,
    );
  }
  if (dimensions === 0) fail('0 dimensions', 'at least one dimension');
  const header = 4 + 4 * dimensions;
  if (bytes.length < header) {
    fail(`${bytes.length} bytes`, `a header of ${header} bytes for ${dimensions} dimensions`);
  }
  const shape = Array.from({ length: dimensions }, (_, d) => view.getUint32(4 + 4 * d));
  const size = shape.reduce((product, length) => product * length, 1);
  const found = bytes.length - header;
  if (found !== size) {
    fail(
      `${found} (${found < size ? 'the file is cut short' : 'bytes follow the last element'})`,
      `${size} elements for the shape [${shape.join(', ')}]`,
    );
  }
  return { shape, values: bytes.subarray(header) };
}

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}
