import { formatDuration } from '@multigrad/callbacks/terminal';
import { own } from '@multigrad/core/strategy';
import { settingSpecs } from '../experiments/settings.ts';
import { formatP } from '../results/findings.ts';
import { metricHeading, type ShownMetric, withFineShares } from '../results/shown-metric.ts';
import {
  formatDifference,
  formatEstimate,
  markdownTable,
  nothing,
  signed,
  type Table,
} from '../results/table.ts';
import { formatCount } from '../shared/wording.ts';
import { flatBelow } from './flatness.ts';
import { thirds, twoDigits } from './gradient-course.ts';
import type { Measure, RowResults, SettingResults } from './setting-results.ts';
import { type FigureKind, figureName, figureOf } from './study-figures.ts';
import { peerMarkdown } from './peer-tables.ts';
import { unchangedSentences, verdicts } from './verdicts.ts';

const rateText = ({ rate, edge, hopeless }: RowResults): string => {
  if (hopeless) return 'none';
  if (rate === null) return nothing;
  return edge === null ? String(rate) : `${rate} (${edge})`;
};

/** What a shown value of a row's gain is: points for shares, else the metric's own unit. */
const gainText = ({ gain }: RowResults, metric: ShownMetric): string =>
  gain === null ? nothing : signed(gain.mean, { ...metric, digits: metric.scale === 100 ? 2 : 4 });

/** What the scores' columns show: each objective, or where tasks are many their mean. */
function columnsOf({ objectives, metrics, measures }: SettingResults): readonly Measure[] {
  return measures.some((measure) => measure.objectives.length > 1)
    ? measures
    : objectives.map((title) => ({ title, objectives: [title], metric: metrics.get(title)! }));
}

/** Each row of a setting: its scores, its rate, whether its curve was flat, and the time of a run. */
export function scoresTable(results: SettingResults): Table {
  const { metrics, followed, rows } = results;
  const first = metrics.get(followed[0]!)!;
  const columns = columnsOf(results);
  return {
    columns: [
      { title: 'row', detail: '' },
      ...columns.map(({ title, metric }) => ({ title, detail: metricHeading(metric) })),
      { title: 'learning rate', detail: 'chosen' },
      { title: 'last fifth', detail: first.scale === 100 ? 'points' : first.title },
      { title: 'run', detail: '' },
      { title: 'seeds', detail: '' },
    ],
    rows: rows.map((row) => [
      row.row.title,
      ...columns.map((measure) => {
        const { scale, digits } = withFineShares(measure.metric);
        const score = own(row.scores, measure.title) ?? null;
        return formatEstimate(score, scale, digits);
      }),
      rateText(row),
      gainText(row, first),
      row.seconds === null ? nothing : formatDuration(row.seconds.mean),
      row.seeds.length === 0 ? nothing : row.seeds.join(', '),
    ]),
  };
}

/** Each row beside the references, seed by seed. */
export function differencesTable({ measures, references, rows }: SettingResults): Table {
  const columns = references.flatMap((reference) =>
    measures.map((measure) => ({ reference, measure })),
  );
  return {
    columns: [
      { title: 'row', detail: '' },
      ...columns.flatMap(({ reference, measure }) => [
        { title: `${measure.title} − ${reference.title}`, detail: '' },
        { title: 'p', detail: 'Holm' },
      ]),
    ],
    rows: rows
      .filter(({ seeds }) => seeds.length > 0)
      .map((row) => [
        row.row.title,
        ...columns.flatMap(({ reference, measure }) => {
          const test = own(own(row.differences, reference.name) ?? {}, measure.title) ?? null;
          return [
            formatDifference(test, withFineShares(measure.metric)),
            test?.corrected == null ? nothing : formatP(test.corrected).replace(/^p (?:= )?/, ''),
          ];
        }),
      ]),
  };
}

/** What gradients did over training under one row: lengths, angles and conflicts, group by group. */
export function gradientsTable({ gradients, setting }: SettingResults): Table {
  const of =
    setting.experiment.baseline === null ? 'shortest, of the longest' : 'joint, of the others';
  const spread = gradients.some(({ traces }) => traces.length > 0);
  const shown = (values: readonly (number | null)[]): string =>
    thirds(values)
      .map((value) => (value === null ? nothing : twoDigits(value)))
      .join(', ');
  return {
    columns: [
      { title: 'group', detail: '' },
      { title: 'length', detail: of },
      ...(spread ? [{ title: 'covariance', detail: of }] : []),
      { title: 'cosine', detail: 'median' },
      { title: 'in conflict', detail: '%' },
    ],
    rows: gradients.map(({ title, lengths, traces, cosines, conflicts }) => [
      title,
      shown(lengths),
      ...(spread ? [shown(traces)] : []),
      shown(cosines.map((quartiles) => quartiles?.[1] ?? null)),
      conflicts === null ? nothing : (100 * conflicts).toFixed(0),
    ]),
  };
}

/** The titles of some rows; of nearly all of them those that are not among them. */
function namesOf(some: readonly RowResults[], all: readonly RowResults[]): string {
  const others = all.filter((row) => !some.includes(row));
  if (others.length === 0) return 'every row';
  const [shown, before] =
    some.length > 8 && others.length < 4 ? [others, 'every row but '] : [some, ''];
  return `${before}${shown.map(({ row }) => row.title).join('; ')}`;
}

/** Sentences on what is missing of a setting, and on rows whose curves were not flat. */
function notesOn({ setting, rows, followed, metrics }: SettingResults): string[] {
  const percent = metrics.get(followed[0]!)!.scale === 100;
  const steep = rows.filter(({ gain }) => percent && gain !== null && gain.mean >= flatBelow);
  const told = rows.filter(({ gain }) => gain !== null);
  const lacking = rows.filter(
    ({ seeds, failed, hopeless }) =>
      !hopeless && seeds.length + failed.length < setting.seeds.length,
  );
  const titles = (of: readonly RowResults[]): string => namesOf(of, rows);
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

/** All that the records say of a setting, as Markdown. `pictures` is how the page leads to their folder; null for none. */
export function settingMarkdown(results: SettingResults, pictures: string | null): string {
  const { setting, rows, compared, followed, references, gradients } = results;
  if (rows.every(({ seeds }) => seeds.length === 0)) {
    return `Options: ${conditions(results)}\n\nNo row has a chosen rate yet.`;
  }
  const followedText =
    followed.length === 1
      ? `\`${followed[0]!}\``
      : `the mean of ${followed.length === compared.length ? 'the' : formatCount(followed.length, 'of the task')} tasks`;
  const scores = `Test scores after the last epoch, mean ± standard deviation over the seeds named. “Last fifth” is what ${
    followedText
  } gained on validation data over the last fifth of the epochs.`;
  const comparable = references.length > 0 && rows.some(({ seeds }) => seeds.length > 1);
  const picture = (kind: FigureKind): string[] => {
    const drawn = figureOf(results, kind);
    return pictures === null || drawn === null
      ? []
      : [`![${drawn.title}](${pictures}${figureName(setting.name, kind)}.svg)`];
  };
  const parts = [
    `Options: ${conditions(results)}`,
    markdownTable(scoresTable(results)),
    [scores, ...notesOn(results), ...unchangedSentences(rows)].join(' '),
    ...(comparable
      ? [
          ...picture('differences'),
          markdownTable(differencesTable(results)),
          'Differences seed by seed, over the seeds that both rows have, with the 95 % interval of each by itself; p by the paired ' +
            't test after Holm’s correction for the rows of the column.',
          verdicts(results)
            .map((sentence) => `- ${sentence}`)
            .join('\n'),
        ]
      : []),
    ...peerMarkdown(results),
    ...(gradients.length === 0
      ? []
      : [
          `Gradients under ${gradientRow(results)}, in the first, second and last third of training, means over its seeds: the ` +
            `length of ${
              setting.experiment.baseline === null
                ? 'the shortest gradient over that of the longest'
                : `\`${setting.experiment.baseline}\`’s gradient over that of the other objectives`
            } in each group, the median cosine between objectives, and how often two of them pointed against each other.${
              gradients.some(({ traces }) => traces.length > 0)
                ? ' “Covariance” is the same ratio of the traces of the gradients’ covariance, over batches at the weights that epochs ended with.'
                : ''
            }`,
          markdownTable(gradientsTable(results)),
          ...picture('gradients'),
        ]),
  ];
  return parts.join('\n\n');
}

/** The row whose gradients are described: the first reference. */
const gradientRow = ({ references }: SettingResults): string => references[0]?.title ?? '';
