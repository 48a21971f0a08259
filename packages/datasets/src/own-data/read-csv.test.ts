import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { dataSets } from './data-sets.ts';
import { readCsv } from './read-csv.ts';

const folder = mkdtempSync(join(tmpdir(), 'multigrad-csv-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('readCsv', () => {
  it('reads a file by path and by URL', async () => {
    const path = file('größe, 1.csv', 'größe,kind\r\n1,a\r\n2,b\r\n');
    const [byPath, byUrl] = [await readCsv(path), await readCsv(pathToFileURL(path))];
    expect(byPath.columns).toEqual(['größe', 'kind']);
    expect([...byUrl.numbers('größe').values]).toEqual([1, 2]);
    expect(() => byUrl.numbers('kind')).toThrow(`${path}, line 2, column "kind"`);
  });

  it('reads the files of parts', async () => {
    const rows = (count: number, from: number): string =>
      ['x,y', ...Array.from({ length: count }, (_, i) => `${from + i},${i}`)].join('\n');
    const files = {
      train: file('train.csv', rows(10, 0)),
      test: file('test.csv', rows(5, 100)),
      validation: file('validation.csv', rows(3, 200)),
    };
    const table = await readCsv(files);
    expect(table.count).toBe(18);
    const data = dataSets({
      inputs: { x: table.numbers('x') },
      targets: { y: table.numbers('y') },
      parts: table.parts,
    });
    expect([data.train.count, data.validation?.count, data.test.count]).toEqual([10, 3, 5]);
    const wrong = file('wrong.csv', rows(5, 0).replace('5', '?'));
    const mixed = await readCsv({
      train: files.train,
      test: file('bad.csv', 'x,y\n1,2\n3,many\n'),
    });
    expect(() => mixed.numbers('y')).toThrow(`${join(folder, 'bad.csv')}, line 3, column "y"`);
    await expect(
      readCsv({ train: files.train, test: file('other.csv', 'x,z\n1,2\n') }),
    ).rejects.toThrow('other.csv, line 1: expected the columns of ');
    expect(await readCsv(wrong)).toBeDefined();
  });

  it('says where a file is not UTF-8', async () => {
    const latin = Uint8Array.from('a,b\n1,x\n2,caf\xE9\n', (letter) => letter.charCodeAt(0));
    await expect(readCsv(file('latin.csv', latin))).rejects.toThrow(
      'latin.csv, line 3: expected text in UTF-8',
    );
    const utf16 = new Uint8Array(Buffer.from('\uFEFFa,b\n1,2\n', 'utf16le'));
    await expect(readCsv(file('utf16.csv', utf16))).rejects.toThrow('utf16.csv, line 1: expected');
  });

  it('says which file is not there', async () => {
    await expect(readCsv(join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'io' });
    await expect(readCsv(join(folder, 'none.csv'))).rejects.toThrow('none.csv');
    await expect(readCsv(folder)).rejects.toMatchObject({ code: 'io' });
  });
});
