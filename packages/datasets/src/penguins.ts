import { readCsv } from './own-data/read-csv.ts';
import type { Table } from './own-data/table.ts';

/**
 * Reads the Palmer penguins, which come with this package (Node): 344 rows of `species`, `island`, `bill_length_mm`,
 * `bill_depth_mm`, `flipper_length_mm`, `body_mass_g`, `sex` and `year`. Two penguins lack all measures, eleven their sex.
 *
 * @throws MultigradError `io` where the file cannot be read
 *
 * @example
 * ```ts
 * import { readPenguins } from '@multigrad/datasets';
 *
 * const penguins = await readPenguins();
 * console.log(penguins.count, penguins.classes('species').names); // 344 [ 'Adelie', 'Chinstrap', 'Gentoo' ]
 * ```
 *
 * @see Gorman, Williams and Fraser, "Ecological sexual dimorphism and environmental variability within a community of
 * Antarctic penguins", PLoS ONE 9(3), 2014; data under CC0 1.0, by Horst, Hill and Gorman, palmerpenguins
 */
export function readPenguins(): Promise<Table> {
  return readCsv(new URL('../data/palmer-penguins/penguins.csv', import.meta.url));
}
