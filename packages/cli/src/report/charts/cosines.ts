import type { TopLevelSpec } from 'vega-lite';
import { groupTitles } from '../../results/table.ts';
import type { Summary } from '../../results/figures.ts';
import { type ChartMaker, maximumPanels, omitted, unlessEmpty } from '../chart.ts';
import { numberFormat, spokenNumber, strategyEncoding } from '../line-panel.ts';
import type { StrategyStyle } from '../palette.ts';
import { panelWidth } from '../render-chart.ts';

const binWidth = 0.1;
const bins = 20;

/** The cosines of every pair of objectives in a group, over all sampled steps of a strategy's runs. */
export function cosinesOf(summary: Summary, strategy: string, key: string): number[] {
  return summary.shown
    .filter((run) => run.strategy === strategy)
    .flatMap((run) => run.steps)
    .flatMap((step) => step.groups.filter((group) => group.key === key))
    .flatMap(({ cosines }) =>
      (cosines ?? []).flatMap((row, i) =>
        row.filter((cosine, j) => j > i && Number.isFinite(cosine)),
      ),
    );
}

/** Shares in percent of the values in twenty equal bins over −1 … 1; rounding beyond the ends counts with them. */
export function cosineHistogram(
  cosines: readonly number[],
): { from: number; to: number; share: number }[] {
  const counts = new Array<number>(bins).fill(0);
  for (const cosine of cosines) {
    const bin = Math.floor((cosine + 1) / binWidth + 1e-9);
    counts[Math.min(bins - 1, Math.max(0, bin))]! += 1;
  }
  return counts.map((count, bin) => ({
    from: Number((bin * binWidth - 1).toFixed(1)),
    to: Number(((bin + 1) * binWidth - 1).toFixed(1)),
    share: (100 * count) / cosines.length,
  }));
}

function histogramSpec(
  rows: readonly { strategy: string; from: number; to: number; share: number }[],
  styles: readonly StrategyStyle[],
): TopLevelSpec {
  const shown = styles.filter(({ strategy }) => rows.some((row) => row.strategy === strategy));
  const titles = new Map(shown.map(({ strategy, title }) => [strategy, title]));
  const values = rows.map((row) => ({
    ...row,
    title: titles.get(row.strategy)!,
    label: `${titles.get(row.strategy)!}: ${spokenNumber(row.share)} % of the steps between ${spokenNumber(row.from)} and ${spokenNumber(row.to)}`,
  }));
  return {
    data: { values },
    facet: {
      row: {
        field: 'title',
        type: 'nominal',
        sort: shown.map(({ title }) => title),
        title: null,
        header: {
          labelAngle: 0,
          labelAlign: 'left',
          labelAnchor: 'start',
          labelOrient: 'top',
          labelLimit: 0,
          labelPadding: 2,
        },
      },
    },
    spacing: 6,
    spec: {
      width: panelWidth,
      height: 46,
      layer: [
        {
          mark: { type: 'bar', binSpacing: 1, aria: true },
          encoding: {
            description: { field: 'label', type: 'nominal' },
            x: {
              field: 'from',
              type: 'quantitative',
              bin: { binned: true, step: binWidth },
              title: 'cosine between two gradients',
              scale: { domain: [-1, 1] },
              axis: { values: [-1, -0.5, 0, 0.5, 1], format: numberFormat, grid: false },
            },
            x2: { field: 'to' },
            y: {
              field: 'share',
              type: 'quantitative',
              title: 'steps (%)',
              axis: { tickCount: 2, format: numberFormat },
            },
            color: strategyEncoding(styles).color,
          },
        },
        {
          mark: { type: 'rule', color: '#1a1a1a', strokeWidth: 1, strokeDash: [3, 3] },
          encoding: { x: { datum: 0 } },
        },
      ],
    },
  } as unknown as TopLevelSpec;
}

/** How the cosines between gradients are spread, for each group and strategy. */
export const cosineChart: ChartMaker = (summary, styles) => {
  const titles = groupTitles(summary.groups);
  const panels = summary.groups.slice(0, maximumPanels).flatMap((key, index) => {
    const rows = summary.config.strategies.flatMap((strategy) => {
      const cosines = cosinesOf(summary, strategy, key);
      return cosines.length > 0
        ? cosineHistogram(cosines)
            .filter(({ share }) => share > 0)
            .map((bin) => ({ strategy, ...bin }))
        : [];
    });
    const title = `${titles[index]!} parameters`;
    return rows.length > 0
      ? [
          {
            title,
            description: `${title}: histogram of the cosines between gradients, by strategy`,
            spec: histogramSpec(rows, styles),
          },
        ]
      : [];
  });
  return unlessEmpty({
    id: 'cosines',
    title: 'Angles between the gradients',
    explanation:
      'Histogram of the cosine between two objectives’ gradients over the sampled steps. Left of the dashed line they ' +
      `are in conflict: following one raises the other’s loss.${omitted(summary.groups.length, 'groups')}`,
    legend: false,
    panels,
  });
};
