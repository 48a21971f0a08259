import { metricHeading, withFineShares } from '../results/shown-metric.ts';
import { formatDifference, formatEstimate, markdownTable, type Table } from '../results/table.ts';
import { formatCount } from '../shared/wording.ts';
import type { SettingResults } from './setting-results.ts';

/** Rows that another program ran too: both scores of each objective, and their differences seed by seed. */
function peerTable({ setting, metrics, rows }: SettingResults): Table {
  return {
    columns: [
      { title: 'row', detail: '' },
      { title: 'objective', detail: 'after the last epoch' },
      { title: 'here', detail: '' },
      { title: setting.peer?.title ?? '', detail: '' },
      { title: 'difference', detail: '' },
      { title: 'seeds', detail: '' },
    ],
    rows: rows.flatMap(({ row, besidePeer }) =>
      besidePeer.map(({ objective, here, there, difference, seeds }) => {
        const metric = metrics.get(objective)!;
        const shown = withFineShares(metric);
        return [
          row.title,
          `${objective} (${metricHeading(metric)})`,
          formatEstimate(here, shown.scale, shown.digits),
          formatEstimate(there, shown.scale, shown.digits),
          formatDifference(difference, shown),
          seeds.join(', '),
        ];
      }),
    ),
  };
}

/** What a setting says of the program that made the same runs. */
export function peerMarkdown(results: SettingResults): string[] {
  const { setting, rows } = results;
  const compared = rows.flatMap(({ besidePeer }) => besidePeer);
  if (setting.peer === null || compared.length === 0) return [];
  const tested = compared.filter(({ difference }) => difference.interval !== null);
  const apart = tested.filter(({ difference }) => {
    const [least, most] = difference.interval!;
    return least > 0 || most < 0;
  });
  return [
    `The same runs in ${setting.peer.title}, from the same data, initial weights and order of samples:`,
    markdownTable(peerTable(results)),
    tested.length === 0
      ? 'An interval takes two seeds.'
      : `Of ${formatCount(tested.length, 'difference')} seed by seed, ${tested.length - apart.length} have zero within their 95 % interval.`,
  ];
}
