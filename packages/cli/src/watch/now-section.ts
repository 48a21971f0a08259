import { own } from '@multigrad/core/strategy';
import { binnedMedians } from '../report/charts/steps.ts';
import type { Chart } from '../report/chart.ts';
import { escapeHtml } from '../report/escape.ts';
import { type PageSection, chartPanels, section } from '../report/report-html.ts';
import { type LinePoint, linePanelSpec } from '../report/line-panel.ts';
import { strategyStyles } from '../report/palette.ts';
import { type DrawPicture, drawChart } from '../report/report-content.ts';
import { runTitle, stepsOf } from '../results/summary.ts';
import type { Summary } from '../results/figures.ts';
import type { RunRecord, RunStatus } from '../runs/records.ts';
import { runNames } from '../runs/run-names.ts';
import { formatCount } from '../shared/wording.ts';
import { learningRates } from '../runs/settings.ts';

/** Points of the chart: more than others have, since whoever watches wants to see the newest steps. */
const points = 120;

/** The run that is written now, or would be next: the first without a result. */
function currentRun(runs: readonly RunRecord[]): RunRecord | undefined {
  return runs.find(({ result }) => result === null);
}

function endings(runs: readonly RunRecord[]): string {
  const counts = new Map<RunStatus, number>();
  for (const { result } of runs) {
    if (result) counts.set(result.status, (counts.get(result.status) ?? 0) + 1);
  }
  return Array.from(counts, ([status, count]) => `${count} ${status}`).join(', ');
}

function progressed(run: RunRecord): number {
  return Math.max(stepsOf(run), (run.steps.at(-1)?.step ?? -1) + 1);
}

/** The share of a run that is done, 0 to 1; 0 within the first epoch, whose length is not known before it ends. */
function shareOf(run: RunRecord, epochs: number): number {
  const [first] = run.epochs;
  return first === undefined ? 0 : Math.min(1, progressed(run) / (first.step * epochs));
}

function titleOf(run: RunRecord, { config, titles }: Summary): string {
  const rate = learningRates(config.settings).length > 1 ? `, learning rate ${run.lr}` : '';
  return runTitle(run, titles, rate);
}

function lossChart(run: RunRecord, title: string, objectives: readonly string[]): Chart {
  const steps = progressed(run);
  const found: LinePoint[] = objectives.flatMap((strategy) => {
    const samples = run.steps.flatMap(({ step, losses }) => {
      const value = own(losses, strategy);
      return value !== undefined && Number.isFinite(value) ? [{ step, value }] : [];
    });
    return binnedMedians(samples, steps, points).map((point) => ({ strategy, ...point }));
  });
  const panel = {
    points: found,
    xTitle: 'training step',
    yTitle: 'training loss',
    xDomain: [0, Math.max(1, steps)] as const,
    marks: found.length < 30,
  };
  return {
    id: 'now',
    title,
    explanation: '',
    legend: true,
    panels:
      found.length === 0
        ? []
        : [
            {
              title,
              description: `${title}: training loss over training steps, one line per objective`,
              spec: linePanelSpec(panel, strategyStyles(objectives)),
            },
          ],
  };
}

/** Where a comparison stands: how many runs have ended, and the losses of the one that is being written. */
export async function nowSection(
  summary: Summary,
  runs: readonly RunRecord[],
  draw: DrawPicture,
): Promise<PageSection> {
  const { config, objectives } = summary;
  const all = runNames(config).length;
  const ended = runs.filter(({ result }) => result !== null).length;
  const epochs = Number(config.settings['epochs']);
  const run = currentRun(runs);
  const share = run === undefined ? 0 : shareOf(run, epochs);
  const sentences = [
    ended === all
      ? `All runs have ended: ${endings(runs)}.`
      : `${ended} of ${formatCount(all, 'run')} ${ended === 1 ? 'has' : 'have'} ended` +
        `${ended > 0 ? `: ${endings(runs)}` : ''}.`,
    ...(run === undefined
      ? []
      : [
          `${titleOf(run, summary)}: epoch ${Math.min(run.epochs.length + 1, epochs)} of ${epochs}, step ${progressed(run)}.`,
        ]),
  ];
  const chart =
    run === undefined
      ? null
      : await drawChart(lossChart(run, titleOf(run, summary), objectives), draw);
  return section('now', 'Now', [
    `<p>${escapeHtml(sentences.join(' '))}</p>`,
    ended === all
      ? ''
      : `<progress max="1" value="${((ended + share) / all).toFixed(4)}" aria-label="Runs"></progress>`,
    chart === null || chart.panels.length === 0
      ? ''
      : chartPanels(chart, strategyStyles(objectives)),
  ]);
}
