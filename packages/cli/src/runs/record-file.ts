import { dirname } from 'node:path';
import {
  type Files,
  type OpenFile,
  readPlainFile,
  replaceDurably,
  syncFolder,
} from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError, isMissing } from '@multigrad/core/support';

/** The longest file of records that is read, in bytes: 1 GiB. */
const mostBytes = 2 ** 30;

/** A line of a file of records: an object with its number, from 0, by which a gap is seen. */
interface Line {
  readonly number: number;
  readonly record: object;
  /** Where it ends in the file. */
  readonly end: number;
}

/** Why a line is no record. */
interface Broken {
  readonly index: number;
  readonly why: string;
}

function parseLine(line: string, index: number): { number: number; record: object } | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return `is not JSON: ${String(error)}`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `should hold a JSON object. Found ${line.slice(0, 60)}.`;
  }
  const { line: number, ...record } = value as { readonly line?: unknown };
  // Records of other programs have no numbers: the line's place in the file is taken.
  return { number: Number.isSafeInteger(number) ? (number as number) : index, record };
}

function parseLines(bytes: Uint8Array): { lines: Line[]; broken: Broken[] } {
  const lines: Line[] = [];
  const broken: Broken[] = [];
  const decoder = new TextDecoder();
  let begin = 0;
  // A last line without its end was being written when the program died, and is left out.
  for (let index = 0; ; index += 1) {
    const end = bytes.indexOf(0x0a, begin);
    if (end < 0) return { lines, broken };
    const parsed = parseLine(decoder.decode(bytes.subarray(begin, end)), index);
    if (typeof parsed === 'string') broken.push({ index, why: parsed });
    else lines.push({ ...parsed, end: end + 1 });
    begin = end + 1;
  }
}

async function readBytes(files: Files, path: string): Promise<Uint8Array | null> {
  try {
    return await readPlainFile(files, path, mostBytes);
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw ioError(`read ${path}`, cause);
  }
}

/** How many ranges of missing lines are named at most. */
const mostRanges = 10;

/** The numbers from 0 on, below `count`, that no line has: as `3 … 5, 9`; empty where none is missing. */
function missing(lines: readonly Line[], count: number): string {
  // A damaged file may name a huge number: no loop here runs up to it.
  const present = new Set(lines.map(({ number }) => number));
  const within = [...present].filter((number) => number >= 0 && number < count);
  const ranges: string[] = [];
  let next = 0;
  for (const number of [...within.sort((a, b) => a - b), count]) {
    if (number > next) ranges.push(number === next + 1 ? `${next}` : `${next} … ${number - 1}`);
    next = number + 1;
  }
  const named = ranges.slice(0, mostRanges).join(', ');
  return ranges.length > mostRanges ? `${named}, …` : named;
}

/** The records of a file of JSON lines. */
export interface Records {
  readonly records: readonly object[];
  /** How many there should be. */
  readonly count: number;
  /** The numbers of lines that are missing, as `3 … 5, 9`; empty where none is. */
  readonly missing: string;
}

/**
 * Reads a file of records; none where there is no file. A last line without its end was being written when the program
 * died and is left out.
 *
 * @param count - how many lines there should be, where that is known
 * @throws MultigradError `io`, and `invalid-data` for a line that is no object
 */
export async function readRecords(files: Files, path: string, count?: number): Promise<Records> {
  const { lines, broken } = parseLines((await readBytes(files, path)) ?? new Uint8Array());
  const [first] = broken;
  if (first !== undefined) {
    throw new MultigradError('invalid-data', `${path}, line ${first.index + 1}, ${first.why}`);
  }
  const expected = count ?? lines.reduce((most, { number }) => Math.max(most, number + 1), 0);
  return {
    records: lines.map(({ record }) => record),
    count: expected,
    missing: missing(lines, expected),
  };
}

/** A file of records that is being written: each line is handed to the system before the next step begins. */
export class RecordFile {
  readonly #files: Files;
  readonly #path: string;
  #open: OpenFile | null = null;
  #count = 0;
  /** Whether the file may be new, so that its folder has to be on the disk too. */
  #named = false;
  #clean = true;

  constructor(files: Files, path: string) {
    this.#files = files;
    this.#path = path;
  }

  /** Lines that there should be; the number of the next. */
  get count(): number {
    return this.#count;
  }

  /**
   * Goes on after so many lines, and removes those that come after.
   *
   * @returns the numbers of lines before that are missing; empty where none is
   */
  async keep(count: number): Promise<string> {
    return this.#inFile('write', async () => {
      const bytes = await readBytes(this.#files, this.#path);
      const { lines, broken } = parseLines(bytes ?? new Uint8Array());
      const stay = lines.filter(({ number }) => number < count);
      if (bytes !== null) await this.#leave(bytes, lines, stay, broken.length > 0);
      this.#count = count;
      return missing(stay, count);
    });
  }

  async #leave(
    bytes: Uint8Array,
    lines: readonly Line[],
    stay: readonly Line[],
    broken: boolean,
  ): Promise<void> {
    const end = stay.at(-1)?.end ?? 0;
    const prefix = !broken && stay.every((line, index) => line === lines[index]);
    if (prefix && end === bytes.byteLength) return;
    if (prefix) {
      await (await this.#opened()).cut(end);
    } else {
      const text = stay.map(({ number, record }) => lineOf(number, record)).join('');
      await replaceDurably(this.#files, this.#path, text);
    }
    this.#clean = false;
  }

  /** Adds a record as a line at the end of the file. */
  async add(record: object): Promise<void> {
    await this.#inFile('write', async () => {
      const file = await this.#opened();
      const text = new TextEncoder().encode(lineOf(this.#count, record));
      this.#clean = false;
      for (let at = 0; at < text.byteLength;) at += await file.write(text.subarray(at));
      this.#count += 1;
    });
  }

  /** Waits until all lines are on the disk. */
  async sync(): Promise<void> {
    if (this.#clean) return;
    await this.#inFile('write', async () => {
      await (await this.#opened()).sync();
      if (!this.#named) await syncFolder(this.#files, dirname(this.#path));
      this.#named = true;
      this.#clean = true;
    });
  }

  /** Closes the file if it is open. */
  async close(): Promise<void> {
    const file = this.#open;
    this.#open = null;
    if (file !== null) await this.#inFile('write', () => file.close());
  }

  async #opened(): Promise<OpenFile> {
    this.#open ??= await this.#files.open(this.#path, 'append');
    return this.#open;
  }

  async #inFile<T>(what: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (cause) {
      if (MultigradError.isInstance(cause)) throw cause;
      throw ioError(`${what} ${this.#path}`, cause);
    }
  }
}

function lineOf(number: number, record: object): string {
  return `${JSON.stringify({ line: number, ...record })}\n`;
}
