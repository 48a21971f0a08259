import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeRecords } from '../tensorboard/records.ts';

type Field = number | Buffer;

/** The fields of a message by number, each with all its values; a reader of its own beside the writer under test. */
function fieldsOf(bytes: Buffer): Map<number, Field[]> {
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = (): number => {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = bytes[at]!;
      at += 1;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    let value: Field;
    if (key % 8 === 0) value = varint();
    else if (key % 8 === 1) value = bytes.readDoubleLE((at += 8) - 8);
    else if (key % 8 === 5) value = bytes.readFloatLE((at += 4) - 4);
    else {
      const length = varint();
      value = bytes.subarray(at, (at += length));
    }
    const number = Math.floor(key / 8);
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

/** An event as a test looks at it. */
export interface ReadEvent {
  readonly step: number;
  readonly kind: 'version' | 'start' | 'values';
  /** Numbers by tag; of a histogram, how many values it counts. */
  readonly values: Readonly<Record<string, number>>;
}

/** Every event of a folder's files, in order. */
export function readEvents(folder: string): ReadEvent[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const { data, rest } = decodeRecords(readFileSync(join(folder, name)));
      if (rest === 'half') throw new Error(`${name} ends in a half-written record.`);
      return data.map((bytes): ReadEvent => {
        const fields = fieldsOf(bytes);
        const [summary] = fields.get(5) ?? [];
        const tagged = summary === undefined ? [] : (fieldsOf(summary as Buffer).get(1) ?? []);
        const values = tagged.map((value) => {
          const own = fieldsOf(value as Buffer);
          const [scalar] = own.get(2) ?? [];
          const [histogram] = own.get(5) ?? [];
          const number = histogram ? fieldsOf(histogram as Buffer).get(3)![0] : scalar;
          return [(own.get(1)![0] as Buffer).toString(), number as number];
        });
        return {
          step: (fields.get(2)?.[0] as number | undefined) ?? 0,
          kind: fields.has(3) ? 'version' : fields.has(7) ? 'start' : 'values',
          values: Object.fromEntries(values) as Record<string, number>,
        };
      });
    });
}
