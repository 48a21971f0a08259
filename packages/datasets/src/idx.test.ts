import { MultigradError } from '@multigrad/core/strategy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIdx } from './idx.ts';

function idx(shape: readonly number[], values: readonly number[], type = 8): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + values.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, type, shape.length]);
  shape.forEach((size, d) => {
    view.setUint32(4 + 4 * d, size);
  });
  bytes.set(values, 4 + 4 * shape.length);
  return bytes;
}

function messageOf(bytes: Uint8Array): string {
  try {
    parseIdx(bytes, 'digits.idx');
  } catch (error) {
    expect(MultigradError.isInstance(error)).toBe(true);
    expect((error as MultigradError).code).toBe('invalid-data');
    return (error as MultigradError).message;
  }
  throw new Error('Expected parseIdx to throw.');
}

describe('parseIdx', () => {
  it('returns the shape and the values of any array, also from the middle of a buffer', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
        fc.integer({ min: 0, max: 3 }),
        (shape, stream, offset) => {
          const size = shape.reduce((product, length) => product * length, 1);
          const values = [...stream.take(size)];
          const file = idx(shape, values);
          const buffer = new Uint8Array(offset + file.length);
          buffer.set(file, offset);
          const parsed = parseIdx(buffer.subarray(offset), 'x');
          expect(parsed.shape).toEqual(shape);
          expect([...parsed.values]).toEqual(values);
        },
      ),
    );
  });

  it('does not copy the values', () => {
    const file = idx([2], [1, 2]);
    expect(parseIdx(file, 'x').values.buffer).toBe(file.buffer);
  });

  it.each([
    [Uint8Array.of(0, 0), 'digits.idx: expected an IDX file, at least 4 bytes. Found 2 bytes.'],
    [
      Uint8Array.of(0x50, 0x4b, 3, 4),
      'digits.idx: expected an IDX file, which starts with two zero bytes. Found 0x504b.',
    ],
    [
      Uint8Array.of(0x1f, 0x8b, 8, 0),
      'digits.idx: expected an IDX file, which starts with two zero bytes. Found gzip-compressed data.',
    ],
    [
      idx([1], [0, 0, 0, 0], 0x0d),
      'digits.idx: expected elements of type 0x08 (unsigned byte). Found type 0x0d (float).',
    ],
    [
      idx([1], [0], 0x07),
      'digits.idx: expected elements of type 0x08 (unsigned byte). Found type 0x07 (unknown).',
    ],
    [idx([], []), 'digits.idx: expected at least one dimension. Found 0 dimensions.'],
    [
      idx([2, 3], []).subarray(0, 9),
      'digits.idx: expected a header of 12 bytes for 2 dimensions. Found 9 bytes.',
    ],
    [
      idx([2, 3], [1, 2, 3, 4, 5]),
      'digits.idx: expected 6 elements for the shape [2, 3]. Found 5 (the file is cut short).',
    ],
    [
      idx([2], [1, 2, 3]),
      'digits.idx: expected 2 elements for the shape [2]. Found 3 (bytes follow the last element).',
    ],
  ])('refuses malformed file %#', (bytes, message) => {
    expect(messageOf(bytes)).toBe(message);
  });

  it('refuses every file that is cut anywhere', () => {
    const whole = idx([2, 2], [1, 2, 3, 4]);
    for (let length = 0; length < whole.length; length++) {
      expect(messageOf(whole.subarray(0, length))).toContain('Found');
    }
  });
});
