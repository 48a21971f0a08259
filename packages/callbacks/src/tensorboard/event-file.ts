import { join } from 'node:path';
import { LogFile } from '../files/log-file.ts';
import {
  isEpochEvent,
  startEvent,
  summaryEvent,
  type TaggedValue,
  versionEvent,
} from './events.ts';
import { decodeRecords, encodeRecord } from './records.ts';

// Readers know event files by this part of their names, and read them in the order of the names.
const fileName = (number: number): string =>
  `events.out.tfevents.${String(number).padStart(10, '0')}.multigrad`;

/** Opens a folder's event file, removes a half-written record, and marks the step at which training begins. */
export function openEventFile(folder: string, step: number, wallTime: number): EventFile {
  for (let number = 0; ; number += 1) {
    const file = new LogFile(join(folder, fileName(number)));
    const bytes = file.read();
    const { data, end, rest } = decodeRecords(bytes);
    // A reader stops at the damage, so whatever is appended behind it would never be seen.
    if (rest === 'damaged') continue;
    file.create();
    if (end < bytes.length) file.cut(end);
    if (end === 0) file.append(encodeRecord(versionEvent(wallTime)));
    file.append(encodeRecord(startEvent({ wallTime, step })));
    return new EventFile(
      file,
      data.some((event) => isEpochEvent(event, step - 1)),
    );
  }
}

/** An event file that is being written. */
export class EventFile {
  /** Whether the file already held the numbers of an epoch that ended with the step before the first one. */
  readonly holdsEpoch: boolean;
  readonly #file: LogFile;

  constructor(file: LogFile, holdsEpoch: boolean) {
    this.#file = file;
    this.holdsEpoch = holdsEpoch;
  }

  /** Adds one event with these values. Nothing is written where there are none. */
  write(step: number, wallTime: number, values: ReadonlyMap<string, TaggedValue>): void {
    if (values.size === 0) return;
    this.#file.append(encodeRecord(summaryEvent({ wallTime, step }, values)));
  }

  /** Waits until all events are on the disk. */
  flush(): void {
    this.#file.flush();
  }
}
