import { MultigradError } from '@multigrad/core/strategy';
import { isMissing } from '@multigrad/core/support';
import { readCsv } from './own-data/read-csv.ts';
import type { Table } from './own-data/table.ts';

const classes = ['zurich-class', 'largest-spot-size', 'spot-distribution'];
const numbers = [
  ...['activity', 'evolution', 'previous-24h-flare-activity', 'hist-complex'],
  ...['hist-complex-this-pass', 'area', 'largest-spot-area'],
];
const targets = ['c-class-flares', 'm-class-flares', 'x-class-flares'];

const whereToGet =
  'Get it with `pip download river==0.22.0 --no-deps`, and take solar-flare.csv out of river/datasets/solar-flare.csv.zip in the wheel.';

/**
 * Reads your copy of the solar flare data (Node): 1,066 active regions of the sun, each with ten features and the numbers of
 * common, moderate and severe flares in the next 24 hours.
 *
 * The file is `solar-flare.csv` of the Python package river. Its columns are three of classes (`zurich-class`,
 * `largest-spot-size`, `spot-distribution`), seven of numbers, and the counts `c-class-flares`, `m-class-flares` and
 * `x-class-flares`, most of which are 0.
 *
 * @throws MultigradError `io` where the file is missing, with where to get it; `invalid-data` for a column that it lacks
 *
 * @example
 * ```ts
 * import { readSolarFlares } from '@multigrad/datasets';
 *
 * const error = await readSolarFlares({ file: 'nowhere.csv' }).catch((thrown: Error) => thrown);
 * console.log(String(error).includes('pip download river==0.22.0')); // true
 * ```
 *
 * @see Bradshaw, "Solar Flare", UCI Machine Learning Repository, 1989 (https://doi.org/10.24432/C5530G)
 */
export async function readSolarFlares({ file }: { readonly file: string }): Promise<Table> {
  let table: Table;
  try {
    table = await readCsv(file);
  } catch (cause) {
    const source = (cause as { cause?: unknown }).cause;
    if (!isMissing(cause) && !isMissing(source)) throw cause;
    throw new MultigradError('io', `Found no ${file}, the solar flare data. ${whereToGet}`, {
      cause,
    });
  }
  const lacking = [...classes, ...numbers, ...targets].filter(
    (column) => !table.columns.includes(column),
  );
  if (lacking.length === 0) return table;
  throw new MultigradError(
    'invalid-data',
    `${file} should have the columns of river's solar-flare.csv. Found none called ${lacking.join(', ')}.`,
  );
}
