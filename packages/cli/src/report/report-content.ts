import { describedExperiment } from '../experiments/described.ts';
import { baselineNotes } from '../results/baseline-notes.ts';
import {
  comparisonCaption,
  comparisonTable,
  resultsCaption,
  resultsTable,
  runsTable,
} from '../results/table.ts';
import {
  contributionCaption,
  contributionTable,
  cooperationTable,
} from '../results/contributions.ts';
import { differenceFindings } from '../results/findings.ts';
import type { Summary } from '../results/figures.ts';
import { frontOf, frontSentences, frontTable } from '../results/front.ts';
import { addCompilation, compilationText } from '../runs/compilation.ts';
import type { RunRecord } from '../runs/records.ts';
import type { Chart, ChartMaker } from './chart.ts';
import { gradientCovarianceChart, gradientSizeChart, landscapeChart } from './charts/analysis.ts';
import {
  classContributionChart,
  contributionChart,
  contributionEpochsChart,
} from './charts/contributions.ts';
import { cosineChart } from './charts/cosines.ts';
import { accuracyChart, conflictChart, testLossChart, trainingLossChart } from './charts/epochs.ts';
import { finalAccuracyChart } from './charts/final-accuracy.ts';
import { frontChart } from './charts/front.ts';
import { normChart, weightChart } from './charts/steps.ts';
import { type DrawnChart, type ReportPage, reportHtml } from './report-html.ts';
import { strategyStyles } from './palette.ts';
import { renderChart } from './render-chart.ts';

const makers: readonly ChartMaker[] = [
  frontChart,
  finalAccuracyChart,
  contributionChart,
  classContributionChart,
  contributionEpochsChart,
  accuracyChart,
  trainingLossChart,
  testLossChart,
  conflictChart,
  cosineChart,
  normChart,
  weightChart,
  gradientSizeChart,
  gradientCovarianceChart,
  landscapeChart,
];

/** Draws a specification as SVG; `prefix` stands before every id within it. */
export type DrawPicture = typeof renderChart;

/** Draws every panel of a chart. */
export async function drawChart(chart: Chart, draw: DrawPicture): Promise<DrawnChart> {
  const pictures: string[] = [];
  for (const [index, { spec }] of chart.panels.entries()) {
    pictures.push(await draw(spec, `${chart.id}-${index}`));
  }
  return { ...chart, pictures };
}

/** The commands that the report of a comparison names. */
export interface ReportCommands {
  /** Measures the same once more. */
  readonly repeat: string;
  /** Draws this page anew from the files. */
  readonly redraw: string;
}

/** What the report of a comparison says. */
export async function reportPage(
  summary: Summary,
  runs: readonly RunRecord[],
  commands: ReportCommands,
  draw: DrawPicture,
): Promise<ReportPage> {
  const { config } = summary;
  const experiment = describedExperiment(config);
  const styles = strategyStyles(config.strategies, summary.titles);
  const charts: DrawnChart[] = [];
  for (const make of makers) {
    const chart = make(summary, styles);
    if (chart) charts.push(await drawChart(chart, draw));
  }
  const front = frontOf(summary);
  const compared =
    config.strategies.length === 1
      ? summary.titles.get(config.strategies[0]!)!
      : front === null
        ? `${config.strategies.length} strategies compared`
        : `a front of ${front.points.length} rays`;
  const backends = [...new Set(runs.flatMap(({ result }) => (result ? [result.backend] : [])))];
  return {
    title: `${experiment?.title ?? config.experiment}: ${compared}`,
    lead: experiment?.summary ?? '',
    results: resultsTable(summary),
    captions: [
      resultsCaption(summary),
      ...(config.strategies.length > 1
        ? [
            'Within a seed every strategy starts from the same weights and sees the same batches in the same order.',
          ]
        : []),
      ...baselineNotes(config.strategies),
    ],
    front: front && { table: frontTable(front), captions: frontSentences(front) },
    // Rays are meant to differ: nothing is learnt from how far they are from the first.
    comparison: front === null ? comparisonTable(summary) : null,
    comparisonCaption: comparisonCaption(summary),
    findings: differenceFindings(summary),
    contributions: [contributionTable(summary), cooperationTable(summary)].filter(
      (table) => table !== null,
    ),
    contributionCaption: contributionCaption(summary),
    notes: summary.notes,
    charts,
    styles,
    runs: runsTable(summary, runs),
    configuration: [
      ['experiment', config.experiment],
      ['strategies', config.strategies.join(', ')],
      ['seeds', config.seeds.join(', ')],
      ...Object.entries(config.settings).map(([name, value]) => [name, String(value)] as const),
      ['backend used', backends.join(', ')],
      ...compilationLine(runs),
      ['multigrad', config.version],
    ],
    commands: [
      { purpose: 'The same comparison again:', command: commands.repeat },
      { purpose: 'This page anew from the files of its folder:', command: commands.redraw },
    ],
    sources: experiment?.sources ?? [],
  };
}

/** How the backward passes of all runs were made, as a line of the configuration; none where no run tells. */
function compilationLine(runs: readonly RunRecord[]): (readonly [string, string])[] {
  const told = runs.flatMap(({ result }) => result?.compilation ?? []);
  return told.length === 0
    ? []
    : [['backward passes', compilationText(told.reduce(addCompilation))] as const];
}

/** Writes the report of a comparison as one HTML file. */
export async function renderReport(
  summary: Summary,
  runs: readonly RunRecord[],
  commands: ReportCommands,
  draw: DrawPicture = renderChart,
): Promise<string> {
  return reportHtml(await reportPage(summary, runs, commands, draw));
}
