import { own } from '@multigrad/core/strategy';
import { describedExperiment } from '../experiments/described.ts';
import type { RunRecord } from '../runs/records.ts';
import { selectEpoch } from './selection.ts';
import { metricHeading, type ShownMetric, testScore } from './shown-metric.ts';
import type { Estimate } from '../shared/statistics.ts';
import type { Standing, Summary } from './figures.ts';
import { formatP, standingSentences } from './findings.ts';
import type { PairedTest } from './paired-test.ts';
import { conflictsOf, stepsOf } from './summary.ts';
import { learningRates, selectsBest } from '../runs/settings.ts';

/** A table of text: two lines of heading, the second one for the unit. */
export interface Table {
  readonly columns: readonly { readonly title: string; readonly detail: string }[];
  readonly rows: readonly (readonly string[])[];
  /** Where cells stand beside the best of their column, by row and column; absent where no cell is marked. */
  readonly standings?: readonly (readonly (Standing | null)[])[];
}

/** What stands behind a marked number in plain text. */
const marks: Readonly<Record<Standing, string>> = { best: '*', close: '≈', behind: ' ' };

/** The rows with marks behind their numbers, and room for one in every cell of a column that has any. */
function markedRows({ rows, standings }: Table): readonly (readonly string[])[] {
  if (standings === undefined) return rows;
  const marked = (column: number): boolean => standings.some((line) => line[column] != null);
  return rows.map((cells, row) =>
    cells.map((cell, column) => {
      const standing = standings[row]![column];
      if (standing != null) return `${cell} ${marks[standing]}`;
      return marked(column) ? `${cell}  ` : cell;
    }),
  );
}

/** What a cell shows where nothing is known. */
export const nothing = '–';

/** `64.1 ± 2.0`, or `64.1` for one seed, or a dash where nothing is known. */
export function formatEstimate(value: Estimate | null, scale: number, digits: number): string {
  if (value === null) return nothing;
  // No minus sign before a number that rounds to zero.
  const centre = (value.mean * scale).toFixed(digits).replace(/^-(?=[0.]+$)/, '');
  return value.sd === null ? centre : `${centre} ± ${(value.sd * scale).toFixed(digits)}`;
}

/**
 * Short names for group keys: what stands before the first slash where that tells the groups apart, else the keys.
 */
export function groupTitles(keys: readonly string[]): string[] {
  const heads = keys.map((key) => key.split('/')[0]!);
  return new Set(heads).size === keys.length && !heads.includes('') ? heads : [...keys];
}

/** The results, one line per strategy. */
export function resultsTable(summary: Summary): Table {
  const { objectives, metrics, groups, rows } = summary;
  return {
    columns: [
      { title: 'strategy', detail: '' },
      ...objectives.map((title) => ({ title, detail: metricHeading(metrics.get(title)!) })),
      { title: 'step', detail: 'ms' },
      ...groupTitles(groups).map((title) => ({ title, detail: 'conflict %' })),
      { title: 'steps', detail: 'per run' },
      { title: 'n', detail: 'seeds' },
    ],
    rows: rows.map((row) => [
      row.title + (row.unfinished ? ' †' : ''),
      ...objectives.map((name) => {
        const { scale, digits } = metrics.get(name)!;
        return formatEstimate(own(row.score, name) ?? null, scale, digits);
      }),
      formatEstimate(row.stepTime, 1, 0),
      ...groups.map((key) => formatEstimate(own(row.conflictRate, key) ?? null, 100, 0)),
      String(row.steps),
      String(row.seeds.length),
    ]),
    ...standingsOf(summary),
  };
}

/** How a metric's values are shown. */
export type Shown = Pick<ShownMetric, 'scale' | 'digits'>;

/** The standings of the results table; nothing where no strategy stands out. */
function standingsOf({ objectives, groups, rows }: Summary): Pick<Table, 'standings'> {
  const standings = rows.map((row) => [
    null,
    ...objectives.map((name) => own(row.standing, name) ?? null),
    ...Array.from({ length: groups.length + 3 }, () => null),
  ]);
  return standings.some((line) => line.includes('best')) ? { standings } : {};
}

/** A difference with its sign, as `+1.2`; what rounds to zero has none. */
export const signed = (value: number, { scale, digits }: Shown): string => {
  const text = (scale * value).toFixed(digits).replace(/^-(?=[0.]+$)/, '');
  return `${Number(text) > 0 ? '+' : ''}${text}`.replace('-', '−');
};

/**
 * A difference, of shares in percentage points, with its 95 % interval where there is one: `+1.2 [−0.3, +2.7]`. What rounds
 * to zero has no sign.
 */
export function formatDifference(
  test: Pick<PairedTest, 'mean' | 'interval'> | null,
  shown: Shown,
): string {
  if (test === null) return nothing;
  const { mean, interval } = test;
  const ends = interval?.map((end) => signed(end, shown)).join(', ');
  return signed(mean, shown) + (ends === undefined ? '' : ` [${ends}]`);
}

/** The unit of differences: percentage points, or the metric's own. */
function differenceUnit({ scale, unit }: ShownMetric): string {
  if (scale === 100) return ', points';
  return unit === '' ? '' : `, ${unit}`;
}

/**
 * The strategies beside each other: differences to the reference seed by seed, mean rank, hypervolume, Δm and the learning
 * rate chosen, each where it is known; null where there is but one strategy and one seed of nothing to compare.
 */
export function comparisonTable(summary: Summary): Table | null {
  const { objectives, metrics, modalities, rows, reference, titles } = summary;
  const joint = metrics.get(describedExperiment(summary.config)?.baseline ?? objectives[0] ?? '')!;
  const gains = rows.some((row) => row.relativeGain !== null);
  const swept = learningRates(summary.config.settings).length > 1;
  const volumes = rows.some((row) => row.hypervolume !== null);
  if (rows.length < 2 && modalities.length === 0) return null;
  const compared = rows.length > 1 ? objectives : [];
  const tested = rows.some(({ difference }) =>
    objectives.some((name) => own(difference, name)?.p != null),
  );
  const corrected = (test: PairedTest | null): string =>
    test?.corrected == null ? nothing : formatP(test.corrected).replace(/^p (?:= )?/, '');
  return {
    columns: [
      { title: 'strategy', detail: '' },
      ...compared.flatMap((title) => [
        {
          title,
          detail: `− ${titles.get(reference) ?? reference}${differenceUnit(metrics.get(title)!)}`,
        },
        ...(tested ? [{ title: 'p', detail: 'Holm' }] : []),
      ]),
      ...modalities.map((title) => ({ title: `without ${title}`, detail: metricHeading(joint) })),
      ...(gains ? [{ title: 'Δm', detail: '%' }] : []),
      { title: 'mean rank', detail: '' },
      ...(volumes ? [{ title: 'hypervolume', detail: '' }] : []),
      ...(swept ? [{ title: 'lr', detail: 'chosen' }] : []),
    ],
    rows: rows.map((row) => [
      row.title + (row.unfinished ? ' †' : ''),
      ...compared.flatMap((name) => {
        const test = own(row.difference, name) ?? null;
        return [formatDifference(test, metrics.get(name)!), ...(tested ? [corrected(test)] : [])];
      }),
      ...modalities.map((name) =>
        formatEstimate(own(row.without, name) ?? null, joint.scale, joint.digits),
      ),
      ...(gains ? [formatEstimate(row.relativeGain, 1, 1).replaceAll('-', '−')] : []),
      row.meanRank?.toFixed(1) ?? nothing,
      ...(volumes ? [row.hypervolume?.toPrecision(3) ?? nothing] : []),
      ...(swept ? [String(row.lr)] : []),
    ]),
  };
}

/** A few sentences on what the figures of the comparison table are. */
export function comparisonCaption({
  config,
  rows,
  objectives,
  modalities,
  reference,
  titles,
}: Summary): string {
  const tested = rows.some(({ difference }) =>
    objectives.some((name) => own(difference, name)?.p != null),
  );
  const sentences = [
    ...(rows.length > 1
      ? [
          `Differences in the test columns to ${titles.get(reference) ?? reference}, seed by seed: what the seeds have in common cancels.`,
          ...(tested
            ? [
                'In brackets the 95 % interval of each difference by itself; p by the paired t test, after Holm’s ' +
                  'correction for all strategies of the column.',
              ]
            : ['With one seed nothing can be said about differences.']),
          'Mean rank over the heads, 1 for the best.',
        ]
      : []),
    ...(rows.some(({ hypervolume }) => hypervolume !== null)
      ? ['Hypervolume: what the scores of the heads dominate, all seeds together, 1 at most.']
      : []),
    ...(modalities.length > 0
      ? ['Without: the joint head on a test set in which that modality is zero.']
      : []),
    ...(rows.some((row) => row.relativeGain !== null)
      ? ['Δm: mean relative gain over the strategies that train on each objective alone.']
      : []),
    ...(learningRates(config.settings).length > 1
      ? ['Of the learning rates tried, each strategy has the one that validates best.']
      : []),
  ];
  return sentences.join(' ');
}

/**
 * Every run on a line of its own.
 *
 * @param unended - the state of a run that has no result: it was cut off, or may still be going on
 */
export function runsTable(
  summary: Summary,
  runs: readonly RunRecord[],
  unended = 'cut off',
): Table {
  const { config, objectives, metrics, groups } = summary;
  const swept = learningRates(config.settings).length > 1;
  const best = selectsBest(config.settings);
  return {
    columns: [
      { title: 'strategy', detail: '' },
      { title: 'seed', detail: '' },
      ...(swept ? [{ title: 'lr', detail: '' }] : []),
      ...(best ? [{ title: 'epoch', detail: 'chosen' }] : []),
      ...objectives.map((title) => ({ title, detail: metricHeading(metrics.get(title)!) })),
      { title: 'step', detail: 'ms' },
      { title: 'observed step', detail: 'ms' },
      ...groupTitles(groups).map((title) => ({ title, detail: 'conflicts' })),
      { title: 'epochs', detail: '' },
      { title: 'steps', detail: '' },
      { title: 'time', detail: 's' },
      { title: 'state', detail: '' },
    ],
    rows: runs.map((run) => [
      summary.titles.get(run.strategy) ?? run.strategy,
      String(run.seed),
      ...(swept ? [String(run.lr)] : []),
      ...(best ? [String(selectEpoch(run, config)?.epoch ?? nothing)] : []),
      ...objectives.map((name) => {
        const metric = metrics.get(name)!;
        const score = testScore(selectEpoch(run, config), name, metric);
        return score === undefined ? nothing : (score * metric.scale).toFixed(metric.digits);
      }),
      run.result?.stepTime.plain?.toFixed(0) ?? nothing,
      run.result?.stepTime.observed?.toFixed(0) ?? nothing,
      ...groups.map((key) => {
        const count = conflictsOf(run).get(key);
        return count === undefined ? nothing : `${count.conflicting} of ${count.seen}`;
      }),
      String(run.epochs.length),
      String(stepsOf(run)),
      run.result?.seconds.toFixed(0) ?? nothing,
      run.result?.status ?? unended,
    ]),
  };
}

/** A few sentences on what the figures of the results table are. */
export function resultsCaption(summary: Summary): string {
  const { config, rows } = summary;
  const seeds = config.seeds.join(', ');
  const full = rows.every((row) => !row.unfinished && row.seeds.length === config.seeds.length);
  const spread =
    config.seeds.length > 1
      ? `mean ± standard deviation over ${full ? '' : 'up to '}${config.seeds.length} seeds (${seeds})`
      : `one seed (${seeds}), so no spread is known and nothing can be said about differences`;
  const every = config.settings['observe'];
  const observation = rows.some((row) => row.observedStepTime !== null)
    ? ` ${every === 1 ? 'Every step' : `One step in ${String(every)}`} of strategies that need no gradients made more backward passes, to look at them; these steps are ` +
      'not in the step time but in the column of their own in the list of runs.'
    : '';
  return (
    `After ${selectsBest(config.settings) ? 'the epoch that validates best' : 'the last epoch'}, ` +
    `nothing selected on the test set; ${spread}. ` +
    (standingSentences(summary).length > 0
      ? 'The best mean of a column is marked *; ≈ marks what is not distinguishable from it (paired t test over the seeds, ' +
        'p ≥ .05 after Holm’s correction). '
      : '') +
    'Step: median time of one training step. Conflicts: share of the steps looked at in which two objectives pulled a ' +
    'group of parameters in opposed directions.' +
    observation +
    effectSentence(summary)
  );
}

function effectSentence({ withoutEffect, titles }: Summary): string {
  if (withoutEffect.length === 0) return '';
  const names = withoutEffect.map((label) => titles.get(label) ?? label);
  return (
    ` Changed nothing in this training, all figures are those of the strategy alone: ${names.join(', ')}. ` +
    'Some balancing methods begin in a later epoch, or need options.'
  );
}

const longestName = 20;

/**
 * A table for a terminal: columns aligned, numbers to the right; a long name has a line of its own above its
 * numbers.
 */
export function textTable(table: Table): string {
  const { columns } = table;
  const rows = markedRows(table);
  const headings = [columns.map(({ title }) => title), columns.map(({ detail }) => detail)];
  const lines = [...headings, ...rows];
  const widths = columns.map((_, column) => {
    const lengths = lines.map((line) => line[column]!.length);
    return Math.max(
      ...(column === 0 ? lengths.filter((length) => length <= longestName) : lengths),
    );
  });
  const format = (line: readonly string[]): string => {
    const name = line[0]!;
    if (name.length > widths[0]!) return `${name}\n${format(['', ...line.slice(1)])}`;
    return line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  };
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [...headings.map(format), rule, ...rows.map(format)].join('\n');
}

function markdownCell(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('|', '\\|')
    .replaceAll(/[\r\n]+/g, ' ')
    .replaceAll('<', '&lt;');
}

/** A table in Markdown. */
export function markdownTable(table: Table): string {
  const { columns } = table;
  const rows = markedRows(table).map((cells) => cells.map((cell) => cell.trimEnd()));
  const line = (cells: readonly string[]): string => `| ${cells.map(markdownCell).join(' | ')} |`;
  return [
    line(columns.map(({ title, detail }) => (detail === '' ? title : `${title} (${detail})`))),
    line(columns.map((_, column) => (column === 0 ? '---' : '---:'))),
    ...rows.map(line),
  ].join('\n');
}
