import type { Histogram } from './histogram.ts';
import { bytesField, doubleField, doublesField, floatField, integerField } from './protobuf.ts';

// Field numbers of TensorBoard's messages (event.proto, summary.proto).
const event = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
const sessionLog = { status: 1, start: 1 } as const;
const summary = { value: 1 } as const;
const summaryValue = { tag: 1, simpleValue: 2, histogram: 5 } as const;
const histogramField = {
  min: 1,
  max: 2,
  count: 3,
  sum: 4,
  sumOfSquares: 5,
  limits: 6,
  counts: 7,
} as const;

/** How the tags of an epoch's numbers begin. */
export const epochPrefix = 'epoch/';

/** When an event happened. */
export interface EventTime {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
}

/** The value under one tag. */
export type TaggedValue = number | Histogram;

function head({ wallTime, step }: EventTime): Buffer[] {
  return [doubleField(event.wallTime, wallTime), integerField(event.step, step)];
}

/** The first event of a file: its version. */
export function versionEvent(wallTime: number): Buffer {
  return Buffer.concat([
    doubleField(event.wallTime, wallTime),
    bytesField(event.fileVersion, 'brain.Event:2'),
  ]);
}

/** Tells readers that training begins at a step: they drop what came from that step on. */
export function startEvent(time: EventTime): Buffer {
  const status = integerField(sessionLog.status, sessionLog.start);
  return Buffer.concat([...head(time), bytesField(event.sessionLog, status)]);
}

/** Whether an event holds the numbers of an epoch that ended with a step. */
export function isEpochEvent(data: Buffer, step: number): boolean {
  const [wallTime, number] = head({ wallTime: 0, step }) as [Buffer, Buffer];
  const own = data.subarray(wallTime.length, wallTime.length + number.length);
  return own.equals(number) && data.includes(epochPrefix);
}

function encodeHistogram(histogram: Histogram): Buffer {
  const { min, max, count, sum, sumOfSquares, limits, counts } = histogram;
  return Buffer.concat([
    doubleField(histogramField.min, min),
    doubleField(histogramField.max, max),
    doubleField(histogramField.count, count),
    doubleField(histogramField.sum, sum),
    doubleField(histogramField.sumOfSquares, sumOfSquares),
    doublesField(histogramField.limits, limits),
    doublesField(histogramField.counts, counts),
  ]);
}

/** Numbers and histograms of one step, by tag. */
export function summaryEvent(time: EventTime, values: ReadonlyMap<string, TaggedValue>): Buffer {
  const encoded = Array.from(values, ([tag, value]) =>
    bytesField(
      summary.value,
      Buffer.concat([
        bytesField(summaryValue.tag, tag),
        typeof value === 'number'
          ? floatField(summaryValue.simpleValue, value)
          : bytesField(summaryValue.histogram, encodeHistogram(value)),
      ]),
    ),
  );
  return Buffer.concat([...head(time), bytesField(event.summary, Buffer.concat(encoded))]);
}
