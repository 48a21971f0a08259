import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import {
  byteLength,
  isDtype,
  type RawTensor,
  type SafetensorsDtype,
  type SafetensorsFile,
} from './dtypes.ts';
import { repeatedKey } from './unique-keys.ts';

/** Options of {@link decodeSafetensors}. */
export interface DecodeOptions {
  /** Name of the file in messages. @defaultValue `'The safetensors file'` */
  readonly name?: string;
  /** Bytes that the header may take, an integer >= 2; the format itself allows 100 MB. @defaultValue 2²⁴ (16 MiB) */
  readonly maxHeaderBytes?: number;
}

/**
 * Reads a safetensors file: `n` as eight bytes, a JSON header of `n` bytes, then the tensors' bytes.
 *
 * Nothing in the header is trusted: names, types, shapes and offsets must describe the bytes behind it exactly, each
 * byte once, without gaps. Beside the header's own JSON no memory is taken in proportion to what a header claims.
 *
 * @param file - the whole file; the tensors are views of it
 * @throws MultigradError `invalid-data` naming what is wrong with the file
 *
 * @see the format's description, https://huggingface.co/docs/safetensors
 *
 * @example
 * ```ts
 * import { decodeSafetensors, encodeSafetensors, float32Tensor } from '@multigrad/checkpoint/safetensors';
 *
 * const file = encodeSafetensors([['bias', float32Tensor([2], [0.5, 1])]]);
 * console.log(decodeSafetensors(file).tensors.get('bias')?.shape); // [ 2 ]
 * ```
 */
export function decodeSafetensors(file: Uint8Array, options: DecodeOptions = {}): SafetensorsFile {
  const { name = 'The safetensors file', maxHeaderBytes = 2 ** 24 } = options;
  const fail: Fail = (what) => {
    throw new MultigradError('invalid-data', `${name} ${what}`);
  };
  if (file.byteLength < 8) fail(`should begin with eight bytes. Found ${file.byteLength} bytes.`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerBytes = view.getBigUint64(0, true);
  const most = Math.min(maxHeaderBytes, file.byteLength - 8);
  if (headerBytes < 2n || headerBytes > BigInt(most)) {
    fail(`should have a header of 2 … ${most} bytes. Found ${headerBytes}.`);
  }
  const start = 8 + Number(headerBytes);
  const header = parseHeader(file.subarray(8, start), fail);
  const body = file.subarray(start);
  const metadata = readMetadata(header['__metadata__'], fail);
  const entries = Object.entries(header)
    .filter(([tensor]) => tensor !== '__metadata__')
    .map(([tensor, entry]) => readEntry(tensor, entry, fail))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name: tensor, begin, end } of entries) {
    if (begin !== covered || end > body.byteLength) {
      fail(
        `should hold the bytes of its tensors one after another within ${body.byteLength} bytes. ` +
          `Found those of \`${tensor}\` at ${begin} … ${end} after ${covered}.`,
      );
    }
    covered = end;
  }
  if (covered !== body.byteLength) {
    fail(
      `should end with its last tensor. Found ${body.byteLength} bytes, ${covered} of them described.`,
    );
  }
  const tensors = entries.map(({ name: tensor, dtype, shape, begin, end }) => {
    return [tensor, { dtype, shape, bytes: body.subarray(begin, end) }] as const;
  });
  for (const [tensor, raw] of tensors) checkBooleans(tensor, raw, fail);
  return { tensors: new Map<string, RawTensor>(tensors), metadata };
}

type Fail = (what: string) => never;

interface Entry {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let header: unknown;
  let text = '';
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (error) {
    fail(`should have a header of JSON in UTF-8. ${(error as Error).message}`);
  }
  if (!text.startsWith('{')) fail(`should have a JSON object as its header, from its first byte.`);
  const repeated = repeatedKey(text);
  if (repeated !== null) fail(`names \`${repeated}\` twice in its header.`);
  return header as Record<string, unknown>;
}

function readMetadata(value: unknown, fail: Fail): ReadonlyMap<string, string> {
  if (value === undefined) return new Map();
  if (!isRecord(value) || Object.values(value).some((text) => typeof text !== 'string')) {
    fail(`should have texts by name as \`__metadata__\`. Found ${describeValue(value)}.`);
  }
  return new Map(Object.entries(value as Record<string, string>));
}

function readEntry(name: string, entry: unknown, fail: Fail): Entry {
  const keys = isRecord(entry) ? Object.keys(entry).sort().join() : '';
  if (keys !== 'data_offsets,dtype,shape') {
    fail(
      `should give \`${name}\` a dtype, a shape and data_offsets, no more. Found ${describeValue(entry)}.`,
    );
  }
  const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>;
  if (!isDtype(dtype)) {
    return fail(`should give \`${name}\` a known dtype. Found ${describeValue(dtype)}.`);
  }
  const expected = Array.isArray(shape) ? byteLength(dtype, shape) : null;
  if (expected === null) {
    fail(`should give \`${name}\` a shape of integers >= 0. Found ${shown(shape)}.`);
  }
  const pair: readonly unknown[] = Array.isArray(offsets) ? offsets : [];
  const [begin = NaN, end = NaN] = pair as readonly number[];
  const sound =
    pair.length === 2 &&
    Number.isSafeInteger(begin) &&
    Number.isSafeInteger(end) &&
    begin >= 0 &&
    end - begin === expected;
  if (!sound) {
    fail(
      `should give \`${name}\` of shape [${(shape as number[]).slice(0, 8).join(', ')}] ${expected} bytes between its data_offsets. ` +
        `Found ${shown(offsets)}.`,
    );
  }
  return { name, dtype, shape: shape as number[], begin, end };
}

/** A flat list as it stands in the file; of anything else, which may be nested without end, what it is. */
function shown(value: unknown): string {
  const flat =
    Array.isArray(value) && value.every((one) => typeof one !== 'object' || one === null);
  return flat ? JSON.stringify(value).slice(0, 80) : describeValue(value);
}

function checkBooleans(name: string, { dtype, bytes }: RawTensor, fail: Fail): void {
  if (dtype !== 'BOOL') return;
  const wrong = bytes.find((byte) => byte > 1);
  if (wrong !== undefined) fail(`should hold 0 and 1 in \`${name}\`. Found ${wrong}.`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
