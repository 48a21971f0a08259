import { MultigradError } from '@multigrad/core/strategy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors } from './decode.ts';
import { byteLength, elementBytes, type RawTensor, type SafetensorsDtype } from './dtypes.ts';
import { encodeSafetensors } from './encode.ts';
import { float32Tensor, rawTensor, toFloat32, toNumbers } from './numbers.ts';

/** A file by hand: its header as text, its body as bytes. */
function file(
  header: string | Uint8Array,
  body: readonly number[] = [],
  claimed?: bigint,
): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(body, 8 + text.length);
  return bytes;
}

function refusal(action: () => unknown, code = 'invalid-data'): string {
  try {
    action();
  } catch (error) {
    expect(MultigradError.isInstance(error)).toBe(true);
    expect((error as MultigradError).code).toBe(code);
    return (error as MultigradError).message;
  }
  throw new Error('Expected a refusal.');
}

const entry = (dtype: string, shape: string, from: number | string, to: number | string): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${from},${to}]}`;

// What Python's safetensors 0.8.0 wrote for {'w': float32 [[1, -2]], 'n': int64 [3]} with metadata {'format': 'pt'}.
const fromPython =
  '90000000000000007b225f5f6d657461646174615f5f223a7b22666f726d6174223a227074227d2c226e223a7b2264747970' +
  '65223a22493634222c227368617065223a5b315d2c22646174615f6f666673657473223a5b302c385d7d2c2277223a7b2264' +
  '74797065223a22463332222c227368617065223a5b312c325d2c22646174615f6f666673657473223a5b382c31365d7d7d20' +
  '202003000000000000000000803f000000c0';

describe('decodeSafetensors', () => {
  it('reads what Python wrote, and writes the same bytes', () => {
    const bytes = Uint8Array.from(Buffer.from(fromPython, 'hex'));
    const { tensors, metadata } = decodeSafetensors(bytes);
    expect([...metadata]).toEqual([['format', 'pt']]);
    expect([...tensors.keys()]).toEqual(['n', 'w']);
    expect(tensors.get('w')!.shape).toEqual([1, 2]);
    expect([...toFloat32(tensors.get('w')!)]).toEqual([1, -2]);
    expect([...toFloat32(tensors.get('n')!)]).toEqual([3]);
    const again = encodeSafetensors([...tensors].reverse(), { format: 'pt' });
    expect(Buffer.from(again).toString('hex')).toBe(fromPython);
  });

  it('returns what was written, from the middle of a buffer too', () => {
    const dtypes = Object.keys(elementBytes) as SafetensorsDtype[];
    const tensor = fc
      .tuple(fc.constantFrom(...dtypes), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }))
      .chain(([dtype, shape]) => {
        const length = byteLength(dtype, shape)!;
        const max = dtype === 'BOOL' ? 1 : 255;
        return fc
          .array(fc.integer({ min: 0, max }), { minLength: length, maxLength: length })
          .map((bytes): RawTensor => ({ dtype, shape, bytes: Uint8Array.from(bytes) }));
      });
    const names = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__metadata__');
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(names, tensor), { selector: ([name]) => name, maxLength: 6 }),
        fc.dictionary(names, fc.string({ unit: 'grapheme' }), { noNullPrototype: true }),
        fc.integer({ min: 0, max: 9 }),
        (tensors, metadata, offset) => {
          const written = encodeSafetensors(tensors, metadata);
          const buffer = new Uint8Array(offset + written.length);
          buffer.set(written, offset);
          const read = decodeSafetensors(buffer.subarray(offset));
          expect(new Map(read.metadata)).toEqual(new Map(Object.entries(metadata)));
          expect(read.tensors.size).toBe(tensors.length);
          for (const [name, { dtype, shape, bytes }] of tensors) {
            const found = read.tensors.get(name)!;
            expect([found.dtype, found.shape]).toEqual([dtype, shape]);
            expect(Buffer.compare(found.bytes, bytes)).toBe(0);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('takes up no more memory than the file for what a header claims', () => {
    const huge = Number.MAX_SAFE_INTEGER;
    const header = `{"a":${entry('F32', `[${huge}]`, 0, 4)}}`;
    expect(refusal(() => decodeSafetensors(file(header, [0, 0, 0, 0])))).toContain('integers >= 0');
    const long = `{"a":${entry('U8', '[1000000000000]', 0, 1e12)}}`;
    expect(refusal(() => decodeSafetensors(file(long)))).toContain('within 0 bytes');
  });

  const four = [0, 0, 0, 0];
  it.each<[string, Uint8Array, string]>([
    ['a file that is too short', Uint8Array.of(1, 2), 'begin with eight bytes. Found 2'],
    ['a header beyond the file', file('{}', [], 100n), 'header of 2 … 2 bytes. Found 100.'],
    ['a header of 2⁶⁴ − 1 bytes', file('{}', [], 2n ** 64n - 1n), 'Found 18446744073709551615.'],
    ['no header', file('', [], 0n), 'Found 0.'],
    ['no UTF-8', file(Uint8Array.of(0x7b, 0xff, 0x7d)), 'JSON in UTF-8'],
    ['no JSON', file('{"a":'), 'JSON in UTF-8'],
    ['a byte-order mark', file('\ufeff{}'), 'JSON in UTF-8'],
    ['space before the header', file(' {}'), 'from its first byte'],
    ['a list', file('[1]'), 'from its first byte'],
    [
      'a name twice',
      file(`{"a":${entry('U8', '[0]', 0, 0)},"\\u0061":${entry('U8', '[0]', 0, 0)}}`),
      'names `a` twice',
    ],
    [
      'a key twice',
      file('{"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}'),
      'names `dtype` twice',
    ],
    ['numbers as metadata', file('{"__metadata__":{"a":1}}'), 'texts by name'],
    ['a list as metadata', file('{"__metadata__":["a"]}'), 'texts by name'],
    ['no entry', file('{"a":null}'), 'a dtype, a shape and data_offsets, no more. Found null'],
    [
      'a further key',
      file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}'),
      'no more',
    ],
    [
      'an unknown type',
      file(`{"a":${entry('F31', '[1]', 0, 4)}}`, four),
      'known dtype. Found "F31"',
    ],
    [
      'a type of Object.prototype',
      file(`{"a":${entry('toString', '[1]', 0, 4)}}`, four),
      'known dtype',
    ],
    ['a negative size', file(`{"a":${entry('F32', '[-1,-1]', 0, 4)}}`, four), 'Found [-1,-1]'],
    ['half a size', file(`{"a":${entry('F32', '[0.5]', 0, 2)}}`, [0, 0]), 'integers >= 0'],
    [
      'a product beyond 2⁵³',
      file(`{"a":${entry('U8', '[4294967296,4294967296]', 0, 0)}}`),
      'integers >= 0',
    ],
    [
      'a text as shape',
      file('{"a":{"dtype":"U8","shape":"2","data_offsets":[0,2]}}', [0, 0]),
      'integers >= 0',
    ],
    [
      'bytes that do not fit the shape',
      file(`{"a":${entry('F32', '[2]', 0, 4)}}`, four),
      '[2] 8 bytes',
    ],
    [
      'offsets in reverse',
      file(`{"a":${entry('U8', '[0]', 4, 0)}}`, four),
      'data_offsets. Found [4,0]',
    ],
    [
      'infinite offsets',
      file(`{"a":${entry('U8', '[1]', '1e999', '1e999')}}`),
      'Found [null,null]',
    ],
    [
      'three offsets',
      file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}}'),
      'Found [0,0,0]',
    ],
    ['a negative offset', file(`{"a":${entry('U8', '[1]', -1, 0)}}`), 'Found [-1,0]'],
    [
      'an overlap',
      file(`{"a":${entry('U8', '[4]', 0, 4)},"b":${entry('U8', '[2]', 2, 4)}}`, four),
      'those of `b` at 2 … 4 after 4',
    ],
    [
      'a gap',
      file(`{"a":${entry('U8', '[1]', 0, 1)},"b":${entry('U8', '[2]', 2, 4)}}`, four),
      'those of `b` at 2 … 4 after 1',
    ],
    ['bytes beyond the file', file(`{"a":${entry('U8', '[8]', 0, 8)}}`, four), 'within 4 bytes'],
    [
      'bytes that nothing describes',
      file(`{"a":${entry('U8', '[3]', 0, 3)}}`, four),
      '4 bytes, 3 of them',
    ],
    ['a boolean of 2', file(`{"a":${entry('BOOL', '[1]', 0, 1)}}`, [2]), '0 and 1 in `a`. Found 2'],
  ])('refuses %s', (_, bytes, message) => {
    expect(refusal(() => decodeSafetensors(bytes, { name: 'weights' }))).toContain(message);
    expect(refusal(() => decodeSafetensors(bytes, { name: 'weights' }))).toMatch(/^weights /);
  });

  it('names the field that is nested without end', () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const header = (dtype: string, shape: string, offsets: string): string =>
      `{"a":{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}}`;
    const refused = (text: string): string => refusal(() => decodeSafetensors(file(text, four)));
    expect(refused(header('"U8"', deep, '[0,4]'))).toContain(
      'a shape of integers >= 0. Found an array',
    );
    expect(refused(header('"U8"', '[4]', deep))).toContain('its data_offsets. Found an array');
    expect(refused(header(deep, '[4]', '[0,4]'))).toContain('a known dtype. Found an array');
    expect(refused(`{"a":${deep}}`)).toContain('Found an array of length 1');
    expect(refused(`{"__metadata__":${deep}}`)).toContain('texts by name');
  });

  it('takes names that objects have meanings for', () => {
    const names = ['__proto__', 'constructor', ''];
    const read = decodeSafetensors(
      encodeSafetensors(names.map((name) => [name, float32Tensor([], [1])])),
    );
    expect([...read.tensors.keys()].sort()).toEqual([...names].sort());
  });

  it('never fails but by refusing, whatever byte is wrong', () => {
    const sound = Uint8Array.from(Buffer.from(fromPython, 'hex'));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(sound.length),
        (changes, length) => {
          const damaged = sound.slice(0, length);
          for (const [at, byte] of changes) if (at < length) damaged[at] = byte;
          try {
            decodeSafetensors(damaged);
          } catch (error) {
            expect(MultigradError.isInstance(error)).toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('limits the header', () => {
    const bytes = encodeSafetensors([], { note: 'x'.repeat(100) });
    expect(refusal(() => decodeSafetensors(bytes, { maxHeaderBytes: 64 }))).toContain(
      '2 … 64 bytes',
    );
    expect(decodeSafetensors(bytes).metadata.get('note')).toHaveLength(100);
  });
});

describe('encodeSafetensors', () => {
  it('writes the documented bytes', () => {
    const bytes = encodeSafetensors([['w', rawTensor('U8', [2], Uint8Array.of(7, 9))]]);
    const header = `{"w":${entry('U8', '[2]', 0, 2)}}`;
    expect(bytes.length).toBe(8 + 56 + 2);
    expect(Buffer.from(bytes.subarray(8, 64)).toString()).toBe(header.padEnd(56));
    expect([...bytes.subarray(0, 8)]).toEqual([56, 0, 0, 0, 0, 0, 0, 0]);
    expect([...bytes.subarray(64)]).toEqual([7, 9]);
  });

  it('does not depend on the order of the tensors', () => {
    const tensors: [string, RawTensor][] = [
      ['b', float32Tensor([1], [1])],
      ['a', float32Tensor([1], [2])],
      ['c', rawTensor('F64', [1], Float64Array.of(3))],
    ];
    const bytes = encodeSafetensors(tensors);
    expect(Buffer.compare(bytes, encodeSafetensors([...tensors].reverse()))).toBe(0);
    expect([...decodeSafetensors(bytes).tensors.keys()]).toEqual(['c', 'a', 'b']);
  });

  it('refuses what the format cannot hold', () => {
    const one = float32Tensor([], [1]);
    const encode = (name: string, tensor: RawTensor) => () => encodeSafetensors([[name, tensor]]);
    const message = (action: () => unknown): string => refusal(action, 'invalid-argument');
    expect(message(encode('__metadata__', one))).toContain('reserved');
    expect(message(encode('\ud800', one))).toContain('Unicode text');
    expect(
      message(() =>
        encodeSafetensors([
          ['a', one],
          ['a', one],
        ]),
      ),
    ).toContain('`a` twice');
    expect(message(encode('a', { ...one, shape: [2] }))).toContain('hold 8 bytes. Found 4.');
    expect(message(() => rawTensor('F32', [1], Int32Array.of(1)))).toContain('Float32Array');
  });
});

describe('toFloat32', () => {
  it.each<[SafetensorsDtype, readonly number[], number]>([
    ['F16', [0x01, 0x00], 2 ** -24],
    ['F16', [0xff, 0x7b], 65504],
    ['F16', [0x00, 0xc0], -2],
    ['F16', [0x00, 0x7c], Infinity],
    ['F16', [0x01, 0x7e], NaN],
    ['BF16', [0x80, 0x3f], 1],
    ['BF16', [0x40, 0xc0], -3],
    ['F64', [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], 1.5],
    ['I64', [0xfe, 255, 255, 255, 255, 255, 255, 255], -2],
    ['U64', [2, 0, 0, 0, 0, 0, 0, 0], 2],
    ['I8', [0xff], -1],
    ['BOOL', [1], 1],
  ])('reads %s', (dtype, bytes, expected) => {
    expect([...toFloat32({ dtype, shape: [1], bytes: Uint8Array.from(bytes) })]).toEqual([
      expected,
    ]);
  });

  it('copies, from bytes at any address', () => {
    const bytes = Uint8Array.of(9, 0, 0, 0x80, 0x3f).subarray(1);
    const values = toFloat32({ dtype: 'F32', shape: [1], bytes });
    values[0] = 2;
    expect([...bytes]).toEqual([0, 0, 0x80, 0x3f]);
  });

  it('reads tensors of a Buffer, whose slices are views', () => {
    const bytes = Buffer.from(encodeSafetensors([['a', float32Tensor([2], [1, 2])]]));
    const tensor = decodeSafetensors(bytes).tensors.get('a')!;
    expect([...toFloat32(tensor)]).toEqual([1, 2]);
    expect([...toNumbers({ ...tensor, bytes: Buffer.from(tensor.bytes) })]).toEqual([1, 2]);
  });

  it('says what it cannot read', () => {
    const tensor = { dtype: 'F8_E4M3', shape: [1], bytes: Uint8Array.of(1) } as const;
    expect(refusal(() => toFloat32(tensor), 'unsupported')).toContain('F8_E4M3');
    expect(refusal(() => toNumbers(tensor), 'unsupported')).toContain('F8_E4M3');
  });
});
