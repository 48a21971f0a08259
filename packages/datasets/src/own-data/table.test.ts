import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCsv } from './table.ts';

/** As RFC 4180 writes cells. */
const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;

describe('parseCsv', () => {
  it.each([',', ';', '\t', '|'])('reads back whatever was quoted between %j', (separator) => {
    const cell = fc.stringMatching(/^[a-z,;\t|"\n .é-]{0,8}$/);
    const tables = fc
      .integer({ min: 2, max: 4 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1 }),
      );
    fc.assert(
      fc.property(tables, fc.constantFrom('\n', '\r\n'), fc.boolean(), (rows, end, mark) => {
        const header = rows[0]!.map((_, at) => `column ${at}`);
        const text = [header, ...rows]
          .map((row) => row.map(quoted).join(separator))
          .join(end)
          .replace(/^/, mark ? '\uFEFF' : '');
        const table = parseCsv(text, 'text', { separator });
        expect(table.columns).toEqual(header);
        header.forEach((name, at) => {
          expect(table.words(name)).toEqual(rows.map((row) => row[at]!.trim()));
        });
      }),
    );
  });

  it('takes numbers in the order in which columns are named, NaN where one is missing', () => {
    const table = parseCsv('a,b,c\n1, 2.5 ,x\n-3e2,NA,y\n.5,,x\n', 'text');
    expect(table.count).toBe(3);
    expect(table.numbers('b', 'a')).toMatchObject({ shape: [2], count: 3 });
    expect([...table.numbers('b', 'a').values]).toEqual([2.5, 1, NaN, -300, NaN, 0.5]);
  });

  it('takes a decimal comma where it is asked to', () => {
    const options = { separator: ';', decimal: ',' } as const;
    expect([...parseCsv('a;b\n1,5;-2\n', 'text', options).numbers('a', 'b').values]).toEqual([
      1.5, -2,
    ]);
    expect(() => parseCsv('a;b\n1.5;2\n', 'text', options).numbers('a')).toThrow(
      'text, line 2, column "a": expected a number',
    );
  });

  it('names classes in numeric order, else in the order of their characters', () => {
    const table = parseCsv('n,w\n10,b\n9,a\n,NA\n10,B\n', 'text');
    expect(table.classes('n').names).toEqual(['9', '10']);
    expect([...table.classes('n').labels]).toEqual([1, 0, -1, 1]);
    expect(table.classes('w').names).toEqual(['B', 'a', 'b']);
    expect([...table.classes('n', [10, 9]).labels]).toEqual([0, 1, -1, 0]);
    expect([...table.oneHot('n').values]).toEqual([0, 1, 1, 0, 0, 0, 0, 1]);
  });

  it('has other words for what is missing where it is told so', () => {
    const table = parseCsv('n,country\n1,NA\n-99,SE\n', 'text', { missing: ['-99'] });
    expect([...table.numbers('n').values]).toEqual([1, NaN]);
    expect(table.classes('country').names).toEqual(['NA', 'SE']);
  });

  it('counts lines as an editor does, also behind empty lines and line breaks within cells', () => {
    const text = 'a,b\r\n"x\r\ny",1\r\n\r\n"p\n\nq",2\r\nz,wrong\r\n';
    expect(parseCsv(text, 'text').words('a')).toEqual(['x\ny', 'p\n\nq', 'z']);
    expect(() => parseCsv(text, 'text').numbers('b')).toThrow(
      'text, line 8, column "b": expected a number, or one of "", "NA", "NaN", "nan" where it is missing. Found "wrong".',
    );
  });

  it.each([
    ['a,b\n1,2\n3\n', 'line 3: expected 2 cells, one for each of the columns a, b. Found 1.'],
    ['a,b\n1,2,3\n', 'line 2: expected 2 cells, one for each of the columns a, b. Found 3.'],
    ['a,b\n1,2\n"x,3\n', 'line 3: expected quoted cells as in "a, ""b""". Found a quote that does'],
    ['a,b\n1,2\n\n"x"y,3\n', 'Found a quote that is followed by neither a separator nor the end'],
    ['a;b\n1;2\n', 'line 1: expected names of columns between ",". Found one, "a;b". Should'],
    ['a,a\n1,2\n', 'line 1: expected a name of its own for each column. Found "a" of columns 1'],
    ['a,\n1,2\n', 'line 1: expected a name of its own for each column. Found none of column 2.'],
    ['a,b\n', "expected a line with the columns' names and at least one sample below it. Found no"],
    ['\n', 'at least one sample below it. Found nothing.'],
  ])('says what is wrong with %j', (text, message) => {
    expect(() => parseCsv(text, 'houses.csv')).toThrow(`houses.csv`);
    expect(() => parseCsv(text, 'houses.csv')).toThrow(message);
  });

  it('says what is wrong with a column', () => {
    const table = parseCsv('rooms,kind\n1,flat\n1e39,flat\n', 'houses.csv');
    expect(() => table.numbers('room')).toThrow(
      'houses.csv: expected a column "room". Found rooms, kind. Did you mean "rooms"?',
    );
    expect(() => table.numbers('rooms')).toThrow(
      'houses.csv, line 3, column "rooms": expected a number that float32 can hold',
    );
    expect(() => table.classes('kind')).toThrow('Found "flat".');
    expect(() => table.classes('kind', ['house', 'tent'])).toThrow(
      'houses.csv, line 2, column "kind": expected one of the classes house, tent. Found "flat".',
    );
    expect(() => table.numbers()).toThrow('should get names of columns');
  });

  it.each(['1,5', '0x10', '1_000', '1 000', 'Infinity', '--1', '1.2.3', 'e5', '.'])(
    'does not take %j for a number',
    (text) => {
      expect(() => parseCsv(`a;b\n${text};1\n`, 'text', { separator: ';' }).numbers('a')).toThrow(
        `Found ${JSON.stringify(text)}`,
      );
    },
  );

  it.each(['', ',,', '"', '\n', '.'])('refuses the separator %j', (separator) => {
    expect(() => parseCsv('a,b\n1,2', 'text', { separator })).toThrow('Option `separator`');
  });

  it('refuses options that it does not know', () => {
    // @ts-expect-error: it is called `decimal`.
    expect(() => parseCsv('a,b\n1,2', 'text', { decimals: ',' })).toThrow('decimals');
  });
});
