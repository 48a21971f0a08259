import { readFile } from 'node:fs/promises';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError, isMissing } from '@multigrad/core/support';
import { parseCsv, type Table } from './own-data/table.ts';

const whereToGet =
  'Get yeast.arff from Mulan (https://mulan.sourceforge.net/datasets-mlc.html) or from OpenML (data set 40597).';

/** How many labels a gene has. */
const labelCount = 14;

/**
 * Reads your copy of the yeast data (Node): 2,417 genes, each with 103 numbers and 14 labels that say whether it belongs to a
 * functional class.
 *
 * The file is `yeast.arff`, of Mulan with the labels 0 and 1 or of OpenML with FALSE and TRUE. The table has the attributes as
 * columns; the last 14 are the labels, which come out as 0 and 1.
 *
 * @throws MultigradError `io` where the file is missing, with where to get it; `invalid-data` for another kind of file
 *
 * @example
 * ```ts
 * import { readYeast } from '@multigrad/datasets';
 *
 * const error = await readYeast({ file: 'nowhere.arff' }).catch((thrown: Error) => thrown);
 * console.log(String(error).includes('yeast.arff')); // true
 * ```
 *
 * @see Elisseeff and Weston, "A kernel method for multi-labelled classification", NeurIPS 2001
 */
export async function readYeast({ file }: { readonly file: string }): Promise<Table> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (!isMissing(cause)) throw ioError(`read ${file}`, cause);
    throw new MultigradError('io', `Found no ${file}, the yeast data. ${whereToGet}`, { cause });
  }
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('%'));
  const data = lines.findIndex((line) => /^@data$/i.test(line));
  const names = lines.slice(0, Math.max(0, data)).flatMap((line) => {
    const [, quoted, plain] = /^@attribute\s+(?:'([^']+)'|(\S+))\s/i.exec(line) ?? [];
    const name = quoted ?? plain;
    return name === undefined ? [] : [name];
  });
  if (data < 0 || names.length <= labelCount) {
    throw new MultigradError(
      'invalid-data',
      `${file} should be an ARFF file with more than ${labelCount} attributes and a line @data. Found ${names.length} attributes.`,
    );
  }
  const rows = lines.slice(data + 1).map((line, row) => {
    const cells = line.split(',').map((cell) => cell.trim());
    const labels = cells.slice(-labelCount).map(labelOf);
    if (cells.length === names.length && labels.every((label) => label !== null)) {
      return [...cells.slice(0, -labelCount), ...labels].join(',');
    }
    throw new MultigradError(
      'invalid-data',
      `${file}, sample ${row + 1}, should have ${names.length} values, the last ${labelCount} of them 0 and 1. Found ` +
        `${cells.length}: …${line.slice(-60)}.`,
    );
  });
  return parseCsv([names.join(','), ...rows].join('\n'), file);
}

/** A label as 0 or 1; null for what is none. */
function labelOf(text: string): string | null {
  if (text === '0' || /^false$/i.test(text)) return '0';
  return text === '1' || /^true$/i.test(text) ? '1' : null;
}
