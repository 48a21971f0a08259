import { MultigradError } from '@multigrad/core/strategy';
import { byteLength, elementBytes, isDtype, type RawTensor } from './dtypes.ts';

/**
 * Writes a safetensors file, byte for byte the same for the same tensors in any order.
 *
 * Tensors come by size of their elements, the largest first, then by name: each begins at a multiple of its element's
 * size, as readers that map the file into memory like it.
 *
 * @param tensors - by name; a name is any text but `__metadata__`
 * @param metadata - texts that are stored in the file
 * @throws MultigradError `invalid-argument` for a tensor whose bytes do not fit its shape, and for a name that is taken
 *   twice, reserved or no Unicode text; `unsupported` for more bytes than an array holds on this machine
 *
 * @example
 * ```ts
 * import { encodeSafetensors, float32Tensor } from '@multigrad/checkpoint/safetensors';
 *
 * const file = encodeSafetensors([['bias', float32Tensor([2], [0.5, 1])]], { origin: 'example' });
 * console.log(file.byteLength % 8); // 0
 * ```
 */
export function encodeSafetensors(
  tensors: Iterable<readonly [string, RawTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const parts = safetensorsParts(tensors, metadata);
  const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  let file: Uint8Array;
  try {
    file = new Uint8Array(bytes);
  } catch (cause) {
    throw new MultigradError(
      'unsupported',
      `A safetensors file in memory should be no longer than an array of this machine. Found ${bytes} bytes.`,
      { cause },
    );
  }
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.byteLength;
  }
  return file;
}

/** The file in parts, one after another: its header, then the bytes of each tensor, which are no copies. */
export function safetensorsParts(
  tensors: Iterable<readonly [string, RawTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const sorted = [...tensors].sort(
    ([a, { dtype: first }], [b, { dtype: second }]) =>
      elementBytes[second] - elementBytes[first] || (a < b ? -1 : a > b ? 1 : 0),
  );
  const entries = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) entries.set('__metadata__', metadata);
  let offset = 0;
  for (const [name, tensor] of sorted) {
    checkTensor(name, tensor);
    if (name === '__metadata__' || entries.has(name)) {
      fail(`The name of each tensor should be its own. Found \`${name}\` twice or reserved.`);
    }
    const end = offset + tensor.bytes.byteLength;
    entries.set(name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, end] });
    offset = end;
  }
  const members = Array.from(
    entries,
    ([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`,
  );
  const header = new TextEncoder().encode(`{${members.join(',')}}`);
  const headerBytes = Math.ceil(header.byteLength / 8) * 8;
  const head = new Uint8Array(8 + headerBytes).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(headerBytes), true);
  head.set(header, 8);
  return [head, ...sorted.map(([, { bytes }]) => bytes)];
}

function checkTensor(name: string, { dtype, shape, bytes }: RawTensor): void {
  // A half of a surrogate pair would come back as another character.
  if (new TextDecoder().decode(new TextEncoder().encode(name)) !== name) {
    fail(`The name of a tensor should be Unicode text. Found ${JSON.stringify(name)}.`);
  }
  if (!isDtype(dtype))
    fail(`Tensor \`${name}\` should have a known dtype. Found ${String(dtype)}.`);
  const expected = byteLength(dtype, shape);
  if (expected === bytes.byteLength) return;
  fail(
    `Tensor \`${name}\` of shape [${shape.join(', ')}] and type ${dtype} should hold ${expected ?? 'a countable number of'} bytes. ` +
      `Found ${bytes.byteLength}.`,
  );
}

function fail(message: string): never {
  throw new MultigradError('invalid-argument', message);
}
