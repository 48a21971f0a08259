import { own } from '@multigrad/core/strategy';
import { type PairedTest, pairedTest } from '../results/paired-test.ts';
import { metricHeading } from '../results/shown-metric.ts';
import { formatDifference, formatEstimate, markdownTable, type Table } from '../results/table.ts';
import { estimate, type Estimate } from '../shared/statistics.ts';
import { formatCount } from '../shared/wording.ts';
import type { PeerRecord } from './peer-records.ts';
import type { RowState } from './plan.ts';
import type { Measure, SettingResults } from './setting-results.ts';
import type { StudyRecord } from './study-record.ts';

/** One objective's test scores after the last epoch here and in another program, over the seeds that both have. */
export interface BesidePeer {
  readonly objective: string;
  readonly here: Estimate;
  readonly there: Estimate;
  /** Here minus there, seed by seed. */
  readonly difference: PairedTest;
  readonly seeds: readonly number[];
}

/** A row's scores after the last epoch beside its peer's, objective by objective. */
export function besidePeer(
  { chosen, peers }: RowState,
  objectives: readonly Measure[],
): BesidePeer[] {
  return objectives.flatMap(({ title, metric }): BesidePeer[] => {
    const last = ({ curves }: Pick<StudyRecord, 'curves'> | PeerRecord): number =>
      own(own(curves.test, title) ?? {}, metric.name)?.at(-1) ?? Number.NaN;
    const scored = (records: readonly (StudyRecord | PeerRecord)[]): Map<number, number> =>
      new Map(
        records
          .map((record): [number, number] => [record.seed, last(record)])
          .filter(([, score]) => Number.isFinite(score))
          .sort(([one], [other]) => one - other),
      );
    const here = scored(chosen.filter(({ status }) => status === 'finished'));
    const there = scored(peers);
    const difference = pairedTest(here, there);
    if (difference === null) return [];
    const seeds = [...here.keys()].filter((seed) => there.has(seed));
    const over = (scores: ReadonlyMap<number, number>): Estimate =>
      estimate(seeds.map((seed) => scores.get(seed)))!;
    return [{ objective: title, here: over(here), there: over(there), difference, seeds }];
  });
}

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
        const shown = metric.scale === 100 ? { ...metric, digits: 2 } : metric;
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
