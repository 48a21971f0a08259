import {
  MultigradError,
  nearestName,
  type OptionSpecs,
  resolveOptions,
} from '@multigrad/core/strategy';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import Papa from 'papaparse';
import { classColumn } from './classes-from.ts';
import type { ClassColumn, NumberColumn } from './column.ts';

/** How the text of a table is read. */
export interface TableOptions {
  /**
   * What stands between two cells: one character.
   *
   * @defaultValue ','
   */
  readonly separator?: string;
  /**
   * The decimal sign of numbers.
   *
   * @defaultValue '.'
   */
  readonly decimal?: '.' | ',';
  /**
   * Cells that mean a missing value, compared without the spaces around them.
   *
   * @defaultValue ['', 'NA', 'NaN', 'nan']
   */
  readonly missing?: readonly string[];
}

/** A table of text cells with named columns, from which inputs and targets are taken. */
export interface Table {
  /** Names of the columns, in their order. */
  readonly columns: readonly string[];
  /** Number of rows below the header. */
  readonly count: number;
  /**
   * Some columns as numbers: batches of n × columns, in the order in which they are named. A missing number is NaN.
   *
   * @throws MultigradError `invalid-data` naming file, line and column of a cell that is no number
   */
  numbers(...columns: readonly string[]): NumberColumn<Tensor2D>;
  /**
   * A column of words or numbers as classes: a target. A missing one is −1.
   *
   * @param names - the classes in their order; those of the column if left out, in numeric or alphabetical order
   * @throws MultigradError `invalid-data` naming file and line of a class that is not among `names`
   */
  classes(column: string, names?: readonly (string | number)[]): ClassColumn;
  /**
   * A column of words or numbers as an input: batches of n × classes, 1 at the sample's class and 0 elsewhere; all zero
   * where it is missing.
   */
  oneHot(column: string, names?: readonly (string | number)[]): NumberColumn<Tensor2D>;
  /** The cells of a column as they are, without the spaces around them: for `parts` or `keepTogether`. */
  words(column: string): string[];
}

interface Cells {
  /** What the table is called in messages. */
  readonly where: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** The line, from 1, on which a row begins. */
  readonly lines: Int32Array;
  readonly options: Required<TableOptions>;
}

/**
 * Reads a table from text: the first line has the columns' names, each further one a sample.
 *
 * Cells may be quoted (`"a, ""b"""`), and hold line breaks then; lines end with LF, CRLF or CR; a byte order mark and empty
 * lines are left out. Works without a file system: {@link readCsv} reads files.
 *
 * @param where - what to call the table in messages
 * @throws MultigradError `invalid-data` naming the line for a row with more or fewer cells than columns, a quote that does
 * not end, a column without a name or with another one's, or no rows; `invalid-option`
 *
 * @example
 * ```ts
 * import { parseCsv } from '@multigrad/datasets';
 *
 * const table = parseCsv('rooms;price;kind\n3;250,5;flat\n5;NA;house\n', 'houses', {
 *   separator: ';',
 *   decimal: ',',
 * });
 * console.log(table.numbers('rooms', 'price').values); // Float32Array(4) [ 3, 250.5, 5, NaN ]
 * console.log(table.classes('kind').names); // [ 'flat', 'house' ]
 * ```
 */
export function parseCsv(text: string, where: string, given: TableOptions = {}): Table {
  return tableOf(parseCells(text, where, tableOptions('parseCsv', given)));
}

/** @throws MultigradError `invalid-option` */
export function tableOptions(
  owner: string,
  { separator = ',', missing, ...given }: TableOptions,
): Required<TableOptions> {
  const { decimal } = resolveOptions(owner, specs, given);
  if (
    typeof separator !== 'string' ||
    separator.length !== 1 ||
    /["\r\n]/.test(separator) ||
    separator === decimal
  ) {
    throw new MultigradError(
      'invalid-option',
      `Option \`separator\` of \`${owner}\` should be one character, no quote, no line break, and not the decimal sign. ` +
        `Found ${JSON.stringify(separator)}.`,
    );
  }
  return { separator, decimal, missing: missing ?? ['', 'NA', 'NaN', 'nan'] };
}

const specs: OptionSpecs<{ decimal?: '.' | ',' }> = {
  decimal: {
    kind: 'choice',
    default: '.',
    choices: ['.', ','],
    description: 'The decimal sign of numbers.',
  },
};

/** @throws MultigradError `invalid-data` */
export function parseCells(text: string, where: string, options: Required<TableOptions>): Cells {
  // One kind of line ends: the parser takes its kind from the first one.
  const plain = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  const { data, errors } = Papa.parse<string[]>(plain, {
    delimiter: options.separator,
    newline: '\n',
  });
  const [error] = errors.filter(({ type }) => type === 'Quotes');
  if (error !== undefined) {
    const line = plain.slice(0, error.index ?? 0).split('\n').length;
    throw new MultigradError(
      'invalid-data',
      `${where}, line ${line}: expected quoted cells as in "a, ""b""". Found a quote that ` +
        `${error.code === 'MissingQuotes' ? 'does not end' : 'is followed by neither a separator nor the end of the line'}.`,
    );
  }
  const rows: string[][] = [];
  const lines: number[] = [];
  let line = 1;
  for (const row of data) {
    const begins = line;
    line += 1 + row.reduce((breaks, cell) => breaks + cell.split('\n').length - 1, 0);
    if (row.length === 1 && row[0]!.trim() === '' && data[0]!.length > 1) continue;
    if (row.length === 1 && row[0] === '') continue;
    rows.push(row);
    lines.push(begins);
  }
  const [header, ...body] = rows;
  if (header === undefined || body.length === 0) {
    throw new MultigradError(
      'invalid-data',
      `${where}: expected a line with the columns' names and at least one sample below it. Found ${header === undefined ? 'nothing' : 'no sample'}.`,
    );
  }
  const columns = header.map((name) => name.trim());
  assertHeader(columns, where, options.separator);
  body.forEach((row, at) => {
    if (row.length === columns.length) return;
    throw new MultigradError(
      'invalid-data',
      `${where}, line ${lines[at + 1]}: expected ${columns.length} cells, one for each of the columns ${columns.join(', ')}. ` +
        `Found ${row.length}.`,
    );
  });
  return { where, columns, rows: body, lines: Int32Array.from(lines.slice(1)), options };
}

function assertHeader(columns: readonly string[], where: string, separator: string): void {
  const others = [',', ';', '\t', '|'].filter((sign) => sign !== separator);
  const hint = others.find((sign) => columns.length === 1 && columns[0]!.includes(sign));
  if (hint !== undefined) {
    throw new MultigradError(
      'invalid-data',
      `${where}, line 1: expected names of columns between ${JSON.stringify(separator)}. Found one, ` +
        `${JSON.stringify(columns[0])}. Should \`separator\` be ${JSON.stringify(hint)}?`,
    );
  }
  columns.forEach((name, at) => {
    const first = columns.indexOf(name);
    if (name !== '' && first === at) return;
    throw new MultigradError(
      'invalid-data',
      `${where}, line 1: expected a name of its own for each column. Found ` +
        (name === ''
          ? `none of column ${at + 1}.`
          : `${JSON.stringify(name)} of columns ${first + 1} and ${at + 1}.`),
    );
  });
}

/** Decimal numbers, as most programs write them, by decimal sign; no `1,000`, no `0x10`. */
const numberPatterns = {
  '.': /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i,
  ',': /^[+-]?(?:\d+,?\d*|,\d+)(?:e[+-]?\d+)?$/i,
} as const;

/** A table of several files' cells, one after the other: they have the same columns. */
export function tableOf(...files: readonly Cells[]): Table {
  const [{ columns, options }] = files as readonly [Cells, ...Cells[]];
  const rows = files.flatMap((file) =>
    file.rows.map((cells, at) => ({ cells, where: file.where, line: file.lines[at]! })),
  );
  const missing = new Set(options.missing);
  const place = (row: number, column?: string): string =>
    `${rows[row]!.where}, line ${rows[row]!.line}${column === undefined ? '' : `, column ${JSON.stringify(column)}`}`;
  const positionOf = (column: string): number => {
    const position = columns.indexOf(column);
    if (position >= 0) return position;
    const nearest = nearestName(column, columns);
    throw new MultigradError(
      'invalid-data',
      `${files[0]!.where}: expected a column ${JSON.stringify(column)}. Found ${columns.join(', ')}.` +
        (nearest === undefined ? '' : ` Did you mean ${JSON.stringify(nearest)}?`),
    );
  };
  const words = (column: string): string[] => {
    const position = positionOf(column);
    return rows.map(({ cells }) => cells[position]!.trim());
  };
  const numberOf = (text: string, row: number, column: string): number => {
    if (missing.has(text)) return NaN;
    const isNumber = numberPatterns[options.decimal].test(text);
    const number = isNumber ? Math.fround(Number(text.replace(',', '.'))) : NaN;
    if (Number.isFinite(number)) return number;
    throw new MultigradError(
      'invalid-data',
      `${place(row, column)}: expected a number${isNumber ? ' that float32 can hold' : ''}, or one of ` +
        `${options.missing.map((one) => JSON.stringify(one)).join(', ')} where it is missing. Found ${JSON.stringify(text.slice(0, 60))}.`,
    );
  };
  const classes = (column: string, names?: readonly (string | number)[]): ClassColumn =>
    classColumn(
      words(column).map((word) => (missing.has(word) ? null : word)),
      names?.map(String),
      (row) => place(row, column),
    );
  return {
    columns,
    count: rows.length,
    words,
    classes,
    numbers: (...names) => {
      if (names.length === 0) {
        throw new MultigradError(
          'invalid-argument',
          '`numbers` of a table should get names of columns. Found none.',
        );
      }
      const values = new Float32Array(rows.length * names.length);
      names.forEach((name, at) => {
        words(name).forEach((text, row) => {
          values[row * names.length + at] = numberOf(text, row, name);
        });
      });
      return {
        kind: 'numbers',
        count: rows.length,
        shape: [names.length],
        values,
        unit: 1,
        where: (row, position = 0) => place(row, names[position]),
      };
    },
    oneHot: (column, names) => {
      const { labels, names: all } = classes(column, names);
      const values = new Float32Array(rows.length * all.length);
      labels.forEach((label, row) => {
        if (label >= 0) values[row * all.length + label] = 1;
      });
      return {
        kind: 'numbers',
        count: rows.length,
        shape: [all.length],
        values,
        unit: 1,
        where: (row) => place(row, column),
      };
    },
  };
}
