import { MultigradError } from '@multigrad/core/strategy';

/** The content of a .npy file: numbers in row-major order, and their shape. */
export interface NpyArray {
  readonly shape: readonly number[];
  /** The numbers as float64, from whatever type the file has. */
  readonly values: Float64Array;
}

/** How numbers of a type are read: their size, and the getter of a DataView. */
const readers: ReadonlyMap<string, readonly [number, (view: DataView, at: number) => number]> =
  new Map([
    ['|b1', [1, (view, at) => view.getUint8(at)]],
    ['|u1', [1, (view, at) => view.getUint8(at)]],
    ['|i1', [1, (view, at) => view.getInt8(at)]],
    ['<u2', [2, (view, at) => view.getUint16(at, true)]],
    ['<i2', [2, (view, at) => view.getInt16(at, true)]],
    ['<u4', [4, (view, at) => view.getUint32(at, true)]],
    ['<i4', [4, (view, at) => view.getInt32(at, true)]],
    ['<i8', [8, (view, at) => Number(view.getBigInt64(at, true))]],
    ['<u8', [8, (view, at) => Number(view.getBigUint64(at, true))]],
    ['<f4', [4, (view, at) => view.getFloat32(at, true)]],
    ['<f8', [8, (view, at) => view.getFloat64(at, true)]],
  ]);

/**
 * Reads a .npy file of numbers, the format of NumPy's `save`: versions 1 to 3, little-endian, in row-major order.
 *
 * Layout: `\x93NUMPY`, two bytes of version, the length of the header (2 bytes, 4 from version 2 on), the header, then the
 * numbers.
 *
 * @param bytes - the whole file
 * @param where - what to call it in error messages: a path or an address
 * @throws MultigradError `invalid-data` when the file is no .npy file of numbers, is cut short or goes on after its last
 *   number, or has an order or a type that is not read; the message names `where`, what was found and what was expected
 *
 * @example
 * ```ts
 * import { parseNpy } from '@multigrad/datasets';
 *
 * const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }\n";
 * const bytes = Uint8Array.from([
 *   ...[0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0],
 *   ...new TextEncoder().encode(header),
 *   ...[1, 2, 3, 4],
 * ]);
 * const { shape, values } = parseNpy(bytes, 'example');
 * console.log(shape, values[3]); // [ 2, 2 ] 4
 * ```
 *
 * @see NumPy's `numpy.lib.format`, "Format Version 1.0" and later
 */
export function parseNpy(bytes: Uint8Array, where: string): NpyArray {
  const fail = (found: string, expected: string): never => {
    throw new MultigradError('invalid-data', `${where}: expected ${expected}. Found ${found}.`);
  };
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (bytes.length < 12 || magic.some((byte, at) => bytes[at] !== byte)) {
    fail(`${bytes.length} bytes that do not start like one`, 'a .npy file of NumPy');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint8(6);
  if (version < 1 || version > 3) fail(`version ${version}`, 'a .npy file of version 1 to 3');
  const start = version === 1 ? 10 : 12;
  const data = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (data > bytes.length) fail('a header that is cut short', 'a whole .npy file');
  const header = new TextDecoder().decode(bytes.subarray(start, data));
  const type = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? 'none';
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const sizes = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (order !== 'False' || sizes === undefined) {
    fail(JSON.stringify(header.trim()), 'an array of numbers in row-major order');
  }
  const reader = readers.get(type);
  if (reader === undefined) {
    return fail(`numbers of type ${type}`, `one of the types ${[...readers.keys()].join(', ')}`);
  }
  const shape = sizes!.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size)]));
  const count = shape.reduce((product, size) => product * size, 1);
  const [size, read] = reader;
  if (bytes.length - data !== count * size) {
    fail(
      `${bytes.length - data} bytes of them`,
      `${count} numbers of type ${type} for the shape (${shape.join(', ')})`,
    );
  }
  return {
    shape,
    values: Float64Array.from({ length: count }, (_, at) => read(view, data + at * size)),
  };
}
