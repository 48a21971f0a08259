import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The views of the Multiple Features data set, with their lengths. */
export const viewLengths = { fou: 76, fac: 216, kar: 64, pix: 240, zer: 47, mor: 6 } as const;

/** Feature `column` of a made-up digit: its class, and something that varies within the class. */
export function madeUpFeature(label: number, digit: number, column: number): number {
  return (label * (column + 1)) / 4 + Math.sin(digit * (column + 1));
}

/** Writes made-up files in one of the two forms of the Multiple Features data set. */
export function writeDigitViews(folder: string, perDigit: number, form: 'csv' | 'original'): void {
  for (const [view, length] of Object.entries(viewLengths)) {
    const rows = Array.from({ length: 10 * perDigit }, (_, digit) => {
      const label = Math.floor(digit / perDigit);
      const row = Array.from({ length }, (_, column) =>
        madeUpFeature(label, digit, column).toFixed(4),
      );
      return form === 'csv' ? [...row, String(label)].join(',') : `  ${row.join('  ')}`;
    });
    const head = form === 'csv' ? [Array.from({ length }, (_, i) => i).join(',') + ',0'] : [];
    const name = form === 'csv' ? `mfeat-${view}.csv` : `mfeat-${view}`;
    writeFileSync(join(folder, name), [...head, ...rows, ''].join('\n'));
  }
}
