import type { Logs, TrainerCallback } from '@multigrad/core';
import { MultigradError, own } from '@multigrad/core/strategy';
import { LogFile } from './log-file.ts';

type Cell = string | number | null;

function csvCell(value: Cell): string {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * A line of CSV (RFC 4180) with its end; null leaves its cell empty.
 *
 * @example
 * ```ts
 * import { csvLine } from '@multigrad/callbacks';
 *
 * console.log(csvLine(['a,b', 0.5, null])); // "a,b",0.5,
 * ```
 */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

/** The whole lines of a CSV file as cells; what follows the last end of a line was not written whole. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const token = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n)/y;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [, cell, end] = match as unknown as [string, string, string];
    row.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

/**
 * Writes a CSV file (RFC 4180) with a row for each epoch: its number, from 0, then the logs. A name that first appears in
 * a later epoch adds a column; a cell is empty where the epoch did not measure it.
 *
 * @remarks
 * A row is on disk when the next epoch begins. Training that begins at epoch e keeps the rows of earlier epochs, drops a
 * last row that was not written whole, and replaces the rest.
 *
 * @throws MultigradError while training, `io` where the file cannot be written, `invalid-data` where it holds something
 * else
 *
 * @example
 * ```ts
 * import { mkdtempSync, readFileSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { csvLogger } from '@multigrad/callbacks';
 *
 * const file = join(mkdtempSync(join(tmpdir(), 'example-')), 'epochs.csv');
 * const log = csvLogger(file); // goes into fit's callbacks, which calls:
 * await log.onEpochEnd!(0, { loss: 0.5, val_loss: 0.75 });
 * console.log(readFileSync(file, 'utf8')); // epoch,loss,val_loss and 0,0.5,0.75
 * ```
 */
export function csvLogger(path: string): TrainerCallback {
  const file = new LogFile(path);
  /** What the file holds; undefined until the first epoch ends. */
  let kept: { columns: readonly string[]; rows: readonly (readonly Cell[])[] } | undefined;
  const rewrite = (): void => {
    const { columns, rows } = kept!;
    const width = columns.length + 1;
    const padded = rows.map((row) => [...row, ...new Array<null>(width - row.length).fill(null)]);
    file.replace([['epoch', ...columns], ...padded].map(csvLine).join(''));
  };
  return {
    onTrainBegin: () => {
      kept = undefined;
    },
    onEpochEnd: (epoch, logs: Logs) => {
      if (kept === undefined) {
        kept = rowsBefore(file, epoch);
        rewrite();
      }
      const { columns, rows } = kept;
      const added = Object.keys(logs).filter((name) => !columns.includes(name));
      const all = [...columns, ...added];
      const row = [epoch, ...all.map((name) => own(logs, name) ?? null)];
      kept = { columns: all, rows: [...rows, row] };
      if (added.length > 0) rewrite();
      else file.append(csvLine(row));
      file.flush();
    },
  };
}

function rowsBefore(
  file: LogFile,
  epoch: number,
): { columns: readonly string[]; rows: readonly (readonly Cell[])[] } {
  file.create();
  const text = file.read().toString('utf8');
  const [heading = ['epoch'], ...rows] = parseCsv(text);
  const numbered = rows.every(([number = '']) => /^\d+$/.test(number));
  // A file that holds only the beginning of the heading is accepted too: this logger did not write it whole.
  if (
    heading[0] !== 'epoch' ||
    !numbered ||
    !(text.startsWith('epoch') || 'epoch'.startsWith(text))
  ) {
    throw new MultigradError(
      'invalid-data',
      `${file.path} should hold a CSV file whose first column is \`epoch\`. Found ` +
        `${JSON.stringify(text.slice(0, 60))}. Choose another file, or move this one away.`,
    );
  }
  return { columns: heading.slice(1), rows: rows.filter(([number]) => Number(number) < epoch) };
}
