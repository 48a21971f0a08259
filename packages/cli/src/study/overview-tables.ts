import { own } from '@multigrad/core/strategy';
import { pairedTest, significance } from '../results/paired-test.ts';
import { formatDifference, nothing, type Table } from '../results/table.ts';
import { mean } from '../shared/statistics.ts';
import type { SettingResults } from './setting-results.ts';

/** Settings in which two rows or more have two seeds. */
export const comparable = (all: readonly SettingResults[]): SettingResults[] =>
  all.filter(({ rows }) => rows.filter(({ seeds }) => seeds.length > 1).length > 1);

/** The names of all rows, in the order of the settings. */
export const namesIn = (all: readonly SettingResults[]): string[] => [
  ...new Set(all.flatMap(({ rows }) => rows.map(({ row }) => row.name))),
];

/** The ranks of all rows, setting by setting. */
export function ranksTable(all: readonly SettingResults[]): Table {
  const measured = comparable(all);
  return {
    columns: [
      { title: 'row', detail: '' },
      ...measured.map(({ setting }) => ({ title: setting.name, detail: 'rank' })),
      { title: 'mean rank', detail: '' },
    ],
    rows: namesIn(measured).flatMap((name) => {
      const found = measured.map(({ rows }) => rows.find(({ row }) => row.name === name));
      const ranks = found.map((row) => row?.meanRank ?? null);
      const known = ranks.filter((rank) => rank !== null);
      if (known.length === 0) return [];
      return [
        [
          found.find((row) => row !== undefined)!.row.title,
          ...ranks.map((rank) => rank?.toFixed(1) ?? nothing),
          mean(known).toFixed(2),
        ],
      ];
    }),
  };
}

/** A compared score of a row beside a reference, with the sign that makes larger better. */
export interface Gain {
  readonly gain: number;
  readonly proven: boolean;
  readonly percent: boolean;
}

/** How a row stands beside a reference in each setting that has both, score by score. */
export function gainsOf(all: readonly SettingResults[], name: string, reference: string): Gain[][] {
  return all.flatMap(({ rows, measures }) => {
    const row = rows.find((one) => one.row.name === name);
    const differences = own(row?.differences ?? {}, reference) ?? {};
    const gains = measures.flatMap(({ title, metric }): Gain[] => {
      const test = own(differences, title) ?? null;
      if (test === null) return [];
      return [
        {
          gain: test.mean * metric.sign,
          proven: (test.corrected ?? 1) < significance,
          percent: metric.scale === 100,
        },
      ];
    });
    return gains.length < measures.length ? [] : [gains];
  });
}

/** The mean gain in each setting all of whose compared scores are in percent. */
export const inPercent = (
  tests: readonly (readonly Gain[])[],
): { readonly mean: number; readonly proven: boolean }[] =>
  tests
    .filter((gains) => gains.every(({ percent }) => percent))
    .map((gains) => ({
      mean: mean(gains.map(({ gain }) => gain)),
      proven: gains.some((one) => one.proven),
    }));

/** Whether most of a setting's compared scores are above; tasks may be measured in different units. */
const mostlyAbove = (gains: readonly Gain[]): boolean =>
  2 * gains.filter(({ gain }) => gain > 0).length > gains.length;

/** How rows stand beside each reference over all settings. */
export function standingsTable(
  all: readonly SettingResults[],
  references: readonly string[],
): Table {
  const measured = comparable(all);
  const rowsOfAll = all.flatMap(({ rows }) => rows.map(({ row }) => row));
  const titleOf = (name: string): string =>
    rowsOfAll.find((row) => row.name === name)?.title ?? name;
  return {
    columns: [
      { title: 'row', detail: '' },
      ...references.flatMap((reference) => [
        { title: `above ${titleOf(reference)}`, detail: 'settings' },
        { title: 'significantly', detail: 'above, below' },
        { title: 'difference', detail: 'points' },
      ]),
    ],
    rows: namesIn(measured).flatMap((name) => {
      const cells = references.map((reference) => {
        const tests = gainsOf(measured, name, reference);
        if (name === reference || tests.length === 0) return [nothing, nothing, nothing];
        const proven = (sign: number): number =>
          tests.filter((gains) => gains.some((one) => one.proven && one.gain * sign > 0)).length;
        const points = inPercent(tests).map((one, index): [number, number] => [index, one.mean]);
        const over = pairedTest(new Map(points), new Map(points.map(([index]) => [index, 0])));
        return [
          `${tests.filter(mostlyAbove).length} of ${tests.length}`,
          `${proven(1)}, ${proven(-1)}`,
          formatDifference(over, { scale: 100, digits: 2 }),
        ];
      });
      return cells.flat().every((cell) => cell === nothing)
        ? []
        : [[titleOf(name), ...cells.flat()]];
    }),
  };
}
