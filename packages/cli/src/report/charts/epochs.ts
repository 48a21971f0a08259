import { own } from '@multigrad/core/strategy';
import { mean, standardDeviation } from '../../shared/statistics.ts';
import type { Summary } from '../../results/figures.ts';
import { whatIsShown } from '../../results/shown-metric.ts';
import type { EpochRecord } from '../../runs/records.ts';
import {
  type Chart,
  type ChartMaker,
  type Panel,
  maximumPanels,
  omitted,
  unlessEmpty,
} from '../chart.ts';
import { type LinePanel, type LinePoint, linePanelSpec } from '../line-panel.ts';
import type { StrategyStyle } from '../palette.ts';
import { groupTitles } from '../../results/table.ts';

/** Mean over seeds at each epoch, with one standard deviation to either side. */
export function epochPoints(
  summary: Summary,
  value: (epoch: EpochRecord) => number | undefined,
  limits: readonly [number, number] = [0, Number.POSITIVE_INFINITY],
): LinePoint[] {
  const points: LinePoint[] = [];
  for (const strategy of summary.config.strategies) {
    const byEpoch = new Map<number, number[]>();
    for (const run of summary.shown.filter((one) => one.strategy === strategy)) {
      for (const record of run.epochs) {
        const found = value(record);
        if (found === undefined || !Number.isFinite(found)) continue;
        byEpoch.set(record.epoch, [...(byEpoch.get(record.epoch) ?? []), found]);
      }
    }
    for (const [x, values] of [...byEpoch].sort(([a], [b]) => a - b)) {
      const y = mean(values);
      const spread = standardDeviation(values);
      points.push(
        spread === null
          ? { strategy, x, y }
          : {
              strategy,
              x,
              y,
              low: Math.max(limits[0], y - spread),
              high: Math.min(limits[1], y + spread),
            },
      );
    }
  }
  return points;
}

export function epochPanels(
  summary: Summary,
  styles: readonly StrategyStyle[],
  panels: readonly (Pick<LinePanel, 'points' | 'yTitle'> & {
    readonly title: string;
  })[],
): Panel[] {
  const epochs = Math.max(1, ...summary.shown.map((run) => run.epochs.length));
  return panels
    .filter(({ points }) => points.length > 0)
    .map(({ title, ...panel }) => ({
      title,
      description: `${title}: ${panel.yTitle} over epochs, one line per strategy`,
      spec: linePanelSpec(
        { ...panel, xTitle: 'epoch', xDomain: [epochs > 1 ? 1 : 0, epochs], marks: true },
        styles,
      ),
    }));
}

/** What the shaded bands are, where there are any. */
export function bandSentence({ config }: Summary): string {
  return config.seeds.length > 1
    ? ' Lines are means over seeds, bands one standard deviation to either side.'
    : ' One seed, so no spread can be shown.';
}

/** What is shown of each objective on the test set over the epochs; its loss has a chart of its own. */
export const accuracyChart: ChartMaker = (summary, styles) => {
  const shown = summary.objectives.filter((name) => summary.metrics.get(name)!.name !== 'loss');
  const what = whatIsShown(summary);
  const explanation =
    what === 'accuracy'
      ? 'Share of the test set that each head names rightly after each epoch.'
      : 'Measured on the whole test set after each epoch.';
  return unlessEmpty({
    id: 'accuracy',
    title: `Test ${what} over training`,
    explanation: `${explanation}${bandSentence(summary)}`,
    legend: true,
    panels: epochPanels(
      summary,
      styles,
      shown.map((name) => {
        const { name: metric, title, unit, scale } = summary.metrics.get(name)!;
        return {
          title: `${name} head`,
          yTitle: `test ${title}${unit === '' ? '' : ` (${unit})`}`,
          points: epochPoints(
            summary,
            ({ test }) => {
              const scores = own(test, name);
              const score = scores && own(scores, metric);
              return score === undefined ? undefined : scale * score;
            },
            scale === 100 ? [0, 100] : [-Infinity, Infinity],
          ),
        };
      }),
    ),
  });
};

function lossChart(
  summary: Summary,
  styles: readonly StrategyStyle[],
  set: 'train' | 'test',
): Chart | null {
  const on = set === 'train' ? 'training' : 'test';
  return unlessEmpty({
    id: `${on}-loss`,
    title: `${set === 'train' ? 'Training' : 'Test'} loss of each objective`,
    explanation:
      set === 'train'
        ? `Mean loss over the steps of each epoch, before any weights.${bandSentence(summary)}`
        : 'Mean loss over the test set after each epoch. It can rise while the training loss falls: the network then ' +
          'trusts what holds in the training set alone.',
    legend: true,
    panels: epochPanels(
      summary,
      styles,
      summary.objectives.map((name) => ({
        title: name,
        yTitle: `${on} loss`,
        points: epochPoints(summary, (epoch) => own(epoch[set], name)?.loss),
      })),
    ),
  });
}

/** Training loss of each objective over the epochs. */
export const trainingLossChart: ChartMaker = (summary, styles) =>
  lossChart(summary, styles, 'train');

/** Test loss of each objective over the epochs. */
export const testLossChart: ChartMaker = (summary, styles) => lossChart(summary, styles, 'test');

/** Share of opposed gradients in each group over the epochs. */
export const conflictChart: ChartMaker = (summary, styles) => {
  const titles = groupTitles(summary.groups);
  return unlessEmpty({
    id: 'conflicts',
    title: 'Conflicts over training',
    explanation:
      'Share of the steps looked at in each epoch in which two objectives pulled the same parameters in opposed ' +
      'directions (negative cosine). Strategies that need the gradients are looked at in every step, the others in ' +
      `the observed ones.${omitted(summary.groups.length, 'groups')}`,
    legend: true,
    panels: epochPanels(
      summary,
      styles,
      summary.groups.slice(0, maximumPanels).map((key, index) => ({
        title: `${titles[index]!} parameters`,
        yTitle: 'steps in conflict (%)',
        points: epochPoints(
          summary,
          ({ conflicts }) => {
            const count = own(conflicts, key);
            return count && count.seen > 0 ? (100 * count.conflicting) / count.seen : undefined;
          },
          [0, 100],
        ),
      })),
    ),
  });
};
