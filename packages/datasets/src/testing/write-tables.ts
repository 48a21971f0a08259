import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const diets = ['coc', 'fish', 'lin', 'ref', 'sun'];

/** Writes made-up files in the form of the nutrimouse data: as many mice of each of ten kinds, told apart by genes and lipids. */
export function writeNutrimouse(folder: string, ofEach: number): void {
  const mice = Array.from({ length: 10 * ofEach }, (_, mouse) => ({
    mouse,
    diet: Math.floor(mouse / ofEach) % 5,
    genotype: Math.floor(mouse / (5 * ofEach)),
  }));
  const write = (name: string, lines: readonly string[]): void =>
    writeFileSync(join(folder, name), `${lines.join('\n')}\n`);
  const table = (prefix: string, columns: number, kind: 'diet' | 'genotype'): string[] => [
    Array.from({ length: columns }, (_, column) => `"${prefix}${column}.x"`).join(),
    ...mice.map((one) =>
      Array.from({ length: columns }, (_, column) =>
        ((column % 5 === one[kind] ? 1 : 0) + 0.2 * Math.sin(one.mouse * (column + 1))).toFixed(4),
      ).join(),
    ),
  ];
  write('gene.csv', table('G', 12, 'genotype'));
  write('lipid.csv', table('C', 6, 'diet'));
  write('diet.csv', ['"diet"', ...mice.map(({ diet }) => `"${diets[diet]!}"`)]);
  write('genotype.csv', [
    '"genotype"',
    ...mice.map(({ genotype }) => `"${genotype === 0 ? 'wt' : 'ppar'}"`),
  ]);
}

/** Writes a made-up file in the form of the solar flare data; a region's evolution tells how many flares it has. */
export function writeSolarFlares(file: string, regions: number): void {
  const head =
    'zurich-class,largest-spot-size,spot-distribution,activity,evolution,previous-24h-flare-activity,hist-complex,' +
    'hist-complex-this-pass,area,largest-spot-area,c-class-flares,m-class-flares,x-class-flares';
  const rows = Array.from({ length: regions }, (_, k) => {
    const evolution = 1 + (k % 3);
    const counts = [evolution - 1, k % 4 === 0 ? 1 : 0, k % 10 === 0 ? 1 : 0];
    return [
      ...['BCDH'[k % 4], 'ARSX'[k % 4], 'OXIC'[k % 4], 1, evolution, 1, 1, 1, 1, 1 + (k % 2)],
      ...counts,
    ].join();
  });
  writeFileSync(file, `${[head, ...rows].join('\n')}\n`);
}

/** Writes a made-up file in the form of the yeast data, with labels as Mulan or as OpenML has them. */
export function writeYeast(file: string, genes: number, form: 'mulan' | 'openml'): void {
  const kind = form === 'mulan' ? '{0,1}' : '{TRUE,FALSE}';
  const label = (is: boolean): string =>
    form === 'mulan' ? String(Number(is)) : String(is).toUpperCase();
  const attributes = [
    ...Array.from({ length: 16 }, (_, k) => `@attribute Att${k + 1} numeric`),
    ...Array.from({ length: 14 }, (_, k) => `@ATTRIBUTE 'Class${k + 1}' ${kind}`),
  ];
  const rows = Array.from({ length: genes }, (_, gene) => {
    const values = Array.from({ length: 16 }, (_, k) => Math.sin((gene + 1) * (k + 1) * 1.7));
    return [
      ...values.map((value) => value.toFixed(4)),
      ...Array.from({ length: 14 }, (_, k) => label(values[k]! > 0)),
    ].join(',');
  });
  writeFileSync(
    file,
    ['% made up', '@relation yeast', '', ...attributes, '', '@data', ...rows, ''].join('\n'),
  );
}
