import { readFile } from 'node:fs/promises';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError } from '@multigrad/core/support';
import type { Part } from './split-positions.ts';
import { parseCells, type Table, tableOf, type TableOptions, tableOptions } from './table.ts';

/** A file for each part of a data set that has been split already. */
export interface CsvFiles {
  readonly train: string;
  readonly validation?: string;
  readonly test: string;
}

/** A table with the part of each row, for the option `parts` of {@link dataSets}. */
export interface SplitTable extends Table {
  readonly parts: readonly Part[];
}

/**
 * Reads a CSV file, UTF-8, whose first line has the columns' names (Node); or the files of parts that have been split
 * already, with the same columns.
 *
 * A path is absolute or begins at the current folder; `new URL('houses.csv', import.meta.url)` is beside the module.
 *
 * @throws MultigradError `io`; `invalid-data` naming file and line, see {@link parseCsv}; `invalid-option`
 *
 * @example
 * ```ts
 * import { mkdtemp, rm, writeFile } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { dataSets, readCsv } from '@multigrad/datasets';
 *
 * const folder = await mkdtemp(join(tmpdir(), 'houses-'));
 * const rows = Array.from({ length: 40 }, (_, i) => `${i % 7},${200 + 10 * (i % 7)},${i % 2 ? 'flat' : 'house'}`);
 * await writeFile(join(folder, 'houses.csv'), ['rooms,price,kind', ...rows].join('\n'));
 *
 * const table = await readCsv(join(folder, 'houses.csv'));
 * const data = dataSets({
 *   inputs: { house: table.numbers('rooms') },
 *   targets: { price: table.numbers('price'), kind: table.classes('kind') },
 *   standardize: ['house', 'price'],
 * });
 * console.log(data.summary); // 40 samples: 28 train, 6 validation, 6 test …
 * await rm(folder, { recursive: true });
 * ```
 */
export function readCsv(file: string | URL, options?: TableOptions): Promise<Table>;
export function readCsv(files: CsvFiles, options?: TableOptions): Promise<SplitTable>;
export async function readCsv(
  files: string | URL | CsvFiles,
  given: TableOptions = {},
): Promise<Table | SplitTable> {
  const options = tableOptions('readCsv', given);
  if (typeof files === 'string' || files instanceof URL)
    return tableOf(parseCells(await readText(files), nameOf(files), options));
  const parts = (['train', 'validation', 'test'] as const).flatMap((part) => {
    const file = files[part];
    return file === undefined ? [] : [{ part, file }];
  });
  const cells = await Promise.all(
    parts.map(async ({ file }) => parseCells(await readText(file), nameOf(file), options)),
  );
  const [first] = cells;
  for (const { where, columns } of cells) {
    if (columns.join('\0') === first!.columns.join('\0')) continue;
    throw new MultigradError(
      'invalid-data',
      `${where}, line 1: expected the columns of ${first!.where}: ${first!.columns.join(', ')}. Found ${columns.join(', ')}.`,
    );
  }
  return {
    ...tableOf(...cells),
    parts: parts.flatMap(({ part }, at) => cells[at]!.rows.map(() => part)),
  };
}

function nameOf(file: string | URL): string {
  return file instanceof URL ? decodeURIComponent(file.pathname) : file;
}

async function readText(file: string | URL): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw ioError(`read ${nameOf(file)}`, cause);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new MultigradError(
      'invalid-data',
      `${nameOf(file)}, line ${lineOfWrongText(bytes)}: expected text in UTF-8. Found other bytes: save the file as UTF-8 ` +
        '(in a spreadsheet: “CSV UTF-8”).',
      { cause },
    );
  }
}

/** The line of the first bytes that are not UTF-8: everything before it decodes. */
function lineOfWrongText(bytes: Uint8Array): number {
  let line = 1;
  let start = 0;
  for (let at = 0; at <= bytes.length; at++) {
    if (at < bytes.length && bytes[at] !== 10) continue;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start, at));
    } catch {
      return line;
    }
    line += 1;
    start = at + 1;
  }
  return line;
}
