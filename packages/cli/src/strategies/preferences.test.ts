import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { numbersByObjective, preferenceText, readPreferences } from './preferences.ts';

const objectives = ['left', 'right'];

describe('numbersByObjective', () => {
  it('reads numbers in the order of the objectives, and by name in any', () => {
    const expected = { left: 0.2, right: 3 };
    expect(numbersByObjective(objectives, '0.2, 3', 'It')).toEqual(expected);
    expect(numbersByObjective(objectives, 'right=3,left=2e-1', 'It')).toEqual(expected);
  });

  it.each([
    ['0.2', 'Found none for `right`.'],
    ['1,2,3', 'Found 3 numbers.'],
    ['1,0', 'Found "0" for `right`.'],
    ['1,-2', 'Found "-2" for `right`.'],
    ['1,', 'Found "" for `right`.'],
    ['1,two', 'Found "two" for `right`.'],
    ['1,1e999', 'Found "1e999" for `right`.'],
    ['NaN,1', 'Found "NaN" for `left`.'],
    ['lefft=1,right=2', 'Found the name "lefft". Did you mean `left`?'],
    ['left=1,2', 'Found "2" without a name.'],
    ['left=1,left=2', 'Found `left` twice.'],
    ['constructor=1,right=2', 'Found the name "constructor".'],
  ])('refuses %s', (text, found) => {
    expect(() => numbersByObjective(objectives, text, 'It')).toThrow(
      `It should be a finite number > 0 for each objective (left, right): in that order, as in 1,1, or by name, as in ` +
        `left=1,right=1. ${found}`,
    );
  });
});

describe('readPreferences', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'multigrad-preferences-'));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  const read = async (text: string) => readPreferences(objectives, text, folder);

  it('turns what counts more into the smaller loss', async () => {
    const [first, second] = await read('0.2,0.8;left=3,right=3');
    expect(first!['left']! / first!['right']!).toBeCloseTo(4, 12);
    expect(second!['left']).toBeCloseTo(Math.SQRT1_2, 12);
    expect(Math.hypot(...Object.values(first!))).toBeCloseTo(1, 12);
  });

  it('reads a file with one on each line', async () => {
    writeFileSync(join(folder, 'rays.txt'), '# left, right\n0.2,0.8\r\n\n left=1, right=1\n');
    expect(await read('rays.txt')).toEqual(await read('0.2,0.8;1,1'));
    writeFileSync(join(folder, 'odd.txt'), '\n0.2,0.8\n0.5;0.5\n');
    await expect(read('odd.txt')).rejects.toThrow('odd.txt, line 3, should be a finite number > 0');
    writeFileSync(join(folder, 'none.txt'), '# nothing\n');
    await expect(read('none.txt')).rejects.toThrow(
      'none.txt should hold a preference on each line',
    );
    await expect(read('absent.txt')).rejects.toThrow(
      'Cannot read absent.txt: no such file or directory (ENOENT). Option `preferences` takes preferences',
    );
    await expect(read('.')).rejects.toThrow('Cannot read .: illegal operation on a directory');
  });

  it('names the entry that is wrong, and two on one ray', async () => {
    await expect(read('1,2;1')).rejects.toThrow('Preference 2 of --preferences should be');
    await expect(read('1,2;;2,1')).rejects.toThrow('Preference 2 of --preferences should be');
    await expect(read('0.2,0.8;1,4')).rejects.toThrow(
      'Found Preference 2 of --preferences beside Preference 1 of --preferences.',
    );
  });
});

it('a ray is written as the preference that leads to it, in few digits', async () => {
  const few = await readPreferences(objectives, '0.2,0.8;1,1;1,2', '.');
  expect(few.map((ray) => preferenceText(objectives, ray))).toEqual([
    '0.2,0.8',
    '0.5,0.5',
    expect.stringMatching(/^0\.3+,0\.6+7$/),
  ]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 4 }),
      async (counts) => {
        const names = counts.map((_, k) => `o${k}`);
        const [ray] = await readPreferences(names, counts.join(','), '.');
        const [again] = await readPreferences(names, preferenceText(names, ray!), '.');
        for (const name of names) expect(again![name]! / ray![name]!).toBeCloseTo(1, 10);
      },
    ),
  );
});
