import { describe, expect, it } from 'vitest';
import { splitSample } from './digits.ts';

/** An IDX file of bytes that count up from a number. */
function idx(first: number, ...shape: number[]): number[] {
  const length = shape.reduce((product, size) => product * size, 1);
  return [
    ...[0, 0, 8, shape.length],
    ...shape.flatMap((size) => [0, 0, size >> 8, size & 255]),
    ...Array.from({ length }, (_, i) => (first + i) % 10),
  ];
}

const sample = Uint8Array.from([
  ...idx(0, 3, 28, 28),
  ...idx(4, 3),
  ...idx(1, 2, 28, 28),
  ...idx(8, 2),
]);

describe('the sample of digits', () => {
  it('holds digits to train with and to test with', () => {
    const { train, test } = splitSample(sample);
    expect([train.count, test.count]).toEqual([3, 2]);
    expect([...train.labels]).toEqual([4, 5, 6]);
    expect([...test.labels]).toEqual([8, 9]);
    expect(train.images).toHaveLength(3 * 784);
    expect([...test.images.subarray(0, 3)]).toEqual([1, 2, 3]);
  });

  it('may begin anywhere in a buffer', () => {
    const shifted = new Uint8Array(sample.length + 5);
    shifted.set(sample, 5);
    expect(splitSample(shifted.subarray(5))).toEqual(splitSample(sample));
  });

  it.each([0, 3, 20, 2000, sample.length - 1])(
    'is refused when it ends after %i bytes',
    (length) => {
      expect(() => splitSample(sample.subarray(0, length))).toThrow(/of the sample/);
    },
  );
});
