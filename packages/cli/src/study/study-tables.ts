import { formatDuration } from '@multigrad/callbacks/terminal';
import { own } from '@multigrad/core/strategy';
import { settingSpecs } from '../experiments/settings.ts';
import { formatP } from '../results/findings.ts';
import { significance } from '../results/paired-test.ts';
import { metricHeading, type ShownMetric } from '../results/shown-metric.ts';
import {
  formatDifference,
  formatEstimate,
  markdownTable,
  nothing,
  signed,
  type Table,
} from '../results/table.ts';
import { mean } from '../shared/statistics.ts';
import { formatCount } from '../shared/wording.ts';
import { flatBelow } from './flatness.ts';
import type { RowResults, SettingResults } from './setting-results.ts';

const rateText = ({ rate, edge, hopeless }: RowResults): string => {
  if (hopeless) return 'none';
  if (rate === null) return nothing;
  return edge === null ? String(rate) : `${rate} (${edge})`;
};

/** What a shown value of a row's gain is: points for shares, else the metric's own unit. */
const gainText = ({ gain }: RowResults, metric: ShownMetric): string =>
  gain === null ? nothing : signed(gain.mean, { ...metric, digits: metric.scale === 100 ? 2 : 4 });

/** Each row of a setting: its scores, its rate, whether its curve was flat, and the time of a run. */
export function scoresTable({ objectives, metrics, compared, rows }: SettingResults): Table {
  const first = metrics.get(compared[0]!)!;
  return {
    columns: [
      { title: 'row', detail: '' },
      ...objectives.map((title) => ({ title, detail: metricHeading(metrics.get(title)!) })),
      { title: 'learning rate', detail: 'chosen' },
      { title: 'last fifth', detail: first.scale === 100 ? 'points' : first.title },
      { title: 'run', detail: '' },
      { title: 'seeds', detail: '' },
    ],
    rows: rows.map((row) => [
      row.row.title,
      ...objectives.map((name) => {
        const { scale, digits } = metrics.get(name)!;
        return formatEstimate(own(row.scores, name) ?? null, scale, scale === 100 ? 2 : digits);
      }),
      rateText(row),
      gainText(row, first),
      row.seconds === null ? nothing : formatDuration(row.seconds.mean),
      row.seeds.length === 0 ? nothing : row.seeds.join(', '),
    ]),
  };
}

/** Each row beside the references, seed by seed. */
export function differencesTable({
  setting,
  metrics,
  compared,
  references,
  rows,
}: SettingResults): Table {
  const title = (reference: string): string =>
    setting.rows.find(({ name }) => name === reference)!.title;
  const columns = references.flatMap((reference) =>
    compared.map((objective) => ({ reference, objective })),
  );
  return {
    columns: [
      { title: 'row', detail: '' },
      ...columns.flatMap(({ reference, objective }) => [
        { title: `${objective} − ${title(reference)}`, detail: '' },
        { title: 'p', detail: 'Holm' },
      ]),
    ],
    rows: rows
      .filter(({ seeds }) => seeds.length > 0)
      .map((row) => [
        row.row.title,
        ...columns.flatMap(({ reference, objective }) => {
          const test = own(own(row.differences, reference) ?? {}, objective) ?? null;
          const metric = metrics.get(objective)!;
          const shown = { ...metric, digits: metric.scale === 100 ? 2 : metric.digits };
          return [
            formatDifference(test, shown),
            test?.corrected == null ? nothing : formatP(test.corrected).replace(/^p (?:= )?/, ''),
          ];
        }),
      ]),
  };
}

/** Sentences on what is missing of a setting, and on rows whose curves were not flat. */
function notesOn({ setting, rows, compared, metrics }: SettingResults): string[] {
  const percent = metrics.get(compared[0]!)!.scale === 100;
  const steep = rows.filter(({ gain }) => percent && gain !== null && gain.mean >= flatBelow);
  const told = rows.filter(({ gain }) => gain !== null);
  const lacking = rows.filter(
    ({ seeds, failed, hopeless }) =>
      !hopeless && seeds.length + failed.length < setting.seeds.length,
  );
  const titles = (of: readonly RowResults[]): string => of.map(({ row }) => row.title).join('; ');
  const edges = rows.filter(({ edge }) => edge !== null);
  return [
    ...(told.length > 0 && percent
      ? [
          steep.length === 0
            ? 'Curves were flat: every row with a result gained less than .3 points over the last fifth of its epochs.'
            : `Not flat at the end (.3 points or more over the last fifth): ${titles(steep)}.`,
        ]
      : []),
    ...(edges.length > 0
      ? [
          `The smallest or largest rate tried was chosen, so a better one may lie beyond: ${titles(edges)}.`,
        ]
      : []),
    ...rows.flatMap(({ row, failed }) =>
      failed.length === 0
        ? []
        : [
            `${row.title}: ${formatCount(failed.length, 'run')} ended in a loss or gradient that was not finite (seeds ${failed.join(', ')}).`,
          ],
    ),
    ...rows.flatMap(({ row, hopeless }) =>
      hopeless ? [`${row.title}: no run finished at any of its rates.`] : [],
    ),
    ...(lacking.length > 0 ? [`Runs of some seeds are still missing: ${titles(lacking)}.`] : []),
  ];
}

/** The options that decide a setting's figures, in words. */
function conditions({ setting }: SettingResults): string {
  const { settings, rows, experiment } = setting;
  const specs = settingSpecs(experiment);
  const shown = Object.entries(settings).filter(
    ([name]) =>
      own(specs, name)?.kind !== 'path' && !['backend', 'checkpoint', 'observe'].includes(name),
  );
  const rates = rows[0]!.rates.join(', ');
  return `${shown.map(([name, value]) => `\`${name}\` ${String(value)}`).join(', ')}; rates of the first row ${rates}.`;
}

/** All that the records say of a setting, as Markdown. */
export function settingMarkdown(results: SettingResults): string {
  const { rows, compared, references } = results;
  if (rows.every(({ seeds }) => seeds.length === 0)) {
    return `Options: ${conditions(results)}\n\nNo row has a chosen rate yet.`;
  }
  const backends = `Test scores after the last epoch, mean ± standard deviation over the seeds named. “Last fifth” is what ${
    compared.length === 1 ? `\`${compared[0]!}\`` : 'the mean of the tasks'
  } gained on validation data over the last fifth of the epochs.`;
  const parts = [
    `Options: ${conditions(results)}`,
    markdownTable(scoresTable(results)),
    [backends, ...notesOn(results)].join(' '),
    ...(references.length === 0 || rows.every(({ seeds }) => seeds.length < 2)
      ? []
      : [
          markdownTable(differencesTable(results)),
          'Differences seed by seed, with the 95 % interval of each by itself; p by the paired t test after Holm’s correction ' +
            'for the rows of the column.',
        ]),
  ];
  return parts.join('\n\n');
}

/** All settings side by side: mean ranks, and how often a row is above the first reference. */
export function overviewTable(all: readonly SettingResults[], reference: string): Table {
  const names = [...new Set(all.flatMap(({ rows }) => rows.map(({ row }) => row.name)))];
  const measured = all.filter(({ rows }) => rows.some(({ seeds }) => seeds.length > 1));
  return {
    columns: [
      { title: 'row', detail: '' },
      ...measured.map(({ setting }) => ({ title: setting.name, detail: 'rank' })),
      { title: 'mean rank', detail: '' },
      { title: 'above the tuned sum', detail: 'settings' },
      { title: 'significantly', detail: 'above, below' },
    ],
    rows: names.flatMap((name) => {
      const found = measured.map(({ rows }) => rows.find(({ row }) => row.name === name));
      const ranks = found.map((row) => row?.meanRank ?? null);
      const known = ranks.filter((rank) => rank !== null);
      if (known.length === 0) return [];
      const tests = measured.flatMap((results, index) => {
        const row = found[index];
        const all = row === undefined ? {} : (own(row.differences, reference) ?? {});
        const signs = results.compared.map((objective) => results.metrics.get(objective)!.sign);
        const values = results.compared.map((objective) => own(all, objective) ?? null);
        if (values.some((value) => value === null)) return [];
        return [
          {
            above: mean(values.map((value, k) => value!.mean * signs[k]!)) > 0,
            better: values.some(
              (value, k) => (value!.corrected ?? 1) < significance && value!.mean * signs[k]! > 0,
            ),
            worse: values.some(
              (value, k) => (value!.corrected ?? 1) < significance && value!.mean * signs[k]! < 0,
            ),
          },
        ];
      });
      const title = found.find((row) => row !== undefined)!.row.title;
      return [
        [
          title,
          ...ranks.map((rank) => rank?.toFixed(1) ?? nothing),
          mean(known).toFixed(2),
          tests.length === 0
            ? nothing
            : `${tests.filter(({ above }) => above).length} of ${tests.length}`,
          tests.length === 0
            ? nothing
            : `${tests.filter(({ better }) => better).length}, ${tests.filter(({ worse }) => worse).length}`,
        ],
      ];
    }),
  };
}
