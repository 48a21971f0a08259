import { describe, expect, it } from 'vitest';
import { crc32c } from './crc32c.ts';
import { startEvent, summaryEvent, type TaggedValue, versionEvent } from './events.ts';
import { histogramOf } from './histogram.ts';
import { decodeRecords, encodeRecord } from './records.ts';

describe('crc32c', () => {
  it('has the check value of its specification (RFC 3720)', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  });
});

describe('events', () => {
  // Written by the protocol buffers and the record writer of Python's tensorboard 2.21.0.
  const golden =
    '1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c' +
    '100000000000000095fbfe1809000000000000044010ac023a0208017d05b37d' +
    '7f0000000000000050391acb090000000000000c40108080808080202a6d0a130a0c6c6f73732f6772c3b6c39f65' +
    '150000803e0a560a01682a5109000000000000f0bf11000000000000004019000000000000104021000000000000' +
    '00402900000000000018403210000000000000e03f00000000000000403a100000000000000840000000000000f0' +
    '3fa4bb77a2';

  it('are the bytes that the reference writes', () => {
    const histogram = {
      min: -1,
      max: 2,
      count: 4,
      sum: 2,
      sumOfSquares: 6,
      limits: [0.5, 2],
      counts: [3, 1],
    };
    const events = [
      versionEvent(1.5),
      startEvent({ wallTime: 2.5, step: 300 }),
      summaryEvent(
        { wallTime: 3.5, step: 2 ** 40 },
        new Map<string, TaggedValue>([
          ['loss/größe', 0.25],
          ['h', histogram],
        ]),
      ),
    ];
    expect(Buffer.concat(events.map(encodeRecord)).toString('hex')).toBe(golden);
  });

  it('are read back up to a record that is cut off or damaged', () => {
    const bytes = Buffer.from(golden, 'hex');
    const whole = decodeRecords(bytes);
    expect(whole).toMatchObject({ end: bytes.length, rest: 'nothing' });
    expect(whole.data.map(({ length }) => length)).toEqual([24, 16, 127]);
    const ends = [40, 72];
    for (let length = 0; length <= bytes.length; length += 1) {
      const { end, rest, data } = decodeRecords(bytes.subarray(0, length));
      const records = [0, ...ends, bytes.length].filter((at) => at <= length);
      expect(end).toBe(records.at(-1));
      expect(data).toHaveLength(records.length - 1);
      expect(rest).toBe(end === length ? 'nothing' : 'half');
    }
    for (let at = 40; at < 72; at += 1) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 0x10;
      expect(decodeRecords(flipped)).toMatchObject({ end: 40, rest: 'damaged' });
    }
  });
});

describe('histogramOf', () => {
  it('counts every finite value once, ends included', () => {
    const values = Float32Array.from([
      NaN,
      Infinity,
      ...Array.from({ length: 61 }, (_, i) => i - 30),
    ]);
    const { limits, counts, ...rest } = histogramOf(values)!;
    expect(rest).toEqual({ min: -30, max: 30, count: 61, sum: 0, sumOfSquares: 18_910 });
    expect(limits).toEqual(Array.from({ length: 30 }, (_, bin) => -28 + 2 * bin));
    expect(counts).toEqual([...new Array<number>(29).fill(2), 3]);
  });

  it('has one bin where all values are the same or too close to tell apart', () => {
    expect(histogramOf([2, 2])).toMatchObject({ limits: [2], counts: [2] });
    expect(histogramOf([1, 1 + Number.EPSILON])).toMatchObject({ counts: [2] });
    expect(histogramOf([NaN])).toBeNull();
    expect(histogramOf([])).toBeNull();
  });
});
