import { describedExperiment } from '../experiments/described.ts';
import type { DrawnChart } from '../report/report-html.ts';
import { analysisCsv } from '../results/analysis-csv.ts';
import { contributionCsv } from '../results/contribution-csv.ts';
import { contributionCaption, contributionTable } from '../results/contributions.ts';
import { resultsCsv } from '../results/csv.ts';
import type { Summary } from '../results/figures.ts';
import { comparisonCaption, comparisonTable, resultsTable, type Table } from '../results/table.ts';
import { whatIsShown } from '../results/shown-metric.ts';
import type { RunRecord } from '../runs/records.ts';
import { contributionFile } from '../runs/folder-layout.ts';
import { formatCount } from '../shared/wording.ts';
import { latexFigure, latexTable } from './latex.ts';

/** What was measured, in a few words: experiment, epochs and seeds. */
function settingOf({ config }: Summary): string {
  const title = describedExperiment(config)?.title ?? config.experiment;
  const epochs = formatCount(Number(config.settings['epochs']), 'epoch');
  return `${title}, ${epochs}, n = ${formatCount(config.seeds.length, 'seed')}.`;
}

/** The experiment's name as a label of LaTeX has it. */
function labelOf({ config }: Summary, kind: string, what: string): string {
  return `${kind}:${config.experiment.replaceAll(/[^A-Za-z0-9-]+/g, '-')}-${what}`;
}

/** What the columns of objectives hold; their headings name metrics that differ. */
function shownText(summary: Summary): string {
  const what = whatIsShown(summary);
  if (what === 'accuracy') return 'Test accuracy in percent';
  return what === 'metrics' ? 'Metrics on the test set' : `On the test set: ${what}`;
}

function resultsCaptionOf(summary: Summary, { standings }: Table): string {
  const several = summary.config.seeds.length > 1;
  const sentences = [
    settingOf(summary),
    `${shownText(summary)}${several ? ', mean ± standard deviation over seeds' : ''}.`,
    ...(several ? [] : ['With one seed nothing can be said about differences.']),
    ...(standings === undefined
      ? []
      : [
          'Bold: the best mean of a column; dagger: not distinguishable from it (paired t test over the seeds, p ≥ .05 ' +
            'after Holm’s correction).',
        ]),
    ...(summary.rows.some(({ unfinished }) => unfinished)
      ? ['Double dagger: runs that were cut short.']
      : []),
  ];
  return sentences.join(' ');
}

/** The table without its last two columns, steps and seeds, of which the caption says the second. */
function withoutCounts(table: Table): Table {
  return {
    ...table,
    columns: table.columns.slice(0, -2),
    rows: table.rows.map((row) => row.slice(0, -2)),
  };
}

/** The tables of a comparison as CSV and LaTeX, by file name. */
export function paperTables(
  summary: Summary,
  runs: readonly RunRecord[],
): readonly (readonly [string, string])[] {
  const results = resultsTable(summary);
  const comparison = comparisonTable(summary);
  const contributions = contributionCsv(runs);
  const modalities = contributionTable(summary);
  return [
    ['results.csv', resultsCsv(summary)],
    ...Object.entries(analysisCsv(runs) ?? {}),
    ...(contributions === null ? [] : [[contributionFile, contributions] as const]),
    ...(modalities === null
      ? []
      : [
          [
            'contributions.tex',
            latexTable({
              table: modalities,
              caption: `${settingOf(summary)} ${contributionCaption(summary)}`,
              label: labelOf(summary, 'tab', 'contributions'),
            }),
          ] as const,
        ]),
    [
      'results.tex',
      latexTable({
        table: withoutCounts(results),
        caption: resultsCaptionOf(summary, results),
        label: labelOf(summary, 'tab', 'results'),
      }),
    ],
    ...(comparison === null
      ? []
      : [
          [
            'comparison.tex',
            latexTable({
              table: comparison,
              caption: `${settingOf(summary)} ${comparisonCaption(summary)}`,
              label: labelOf(summary, 'tab', 'comparison'),
            }),
          ] as const,
        ]),
  ];
}

/** Every chart as a figure of LaTeX, to copy from. */
export function paperFigures(summary: Summary, charts: readonly DrawnChart[]): string {
  const figures = charts.map(({ id, title, explanation }) =>
    latexFigure(id, `${settingOf(summary)} ${title}. ${explanation}`, labelOf(summary, 'fig', id)),
  );
  return `% Needs \\usepackage{graphicx}.\n\n${figures.join('\n')}`;
}
