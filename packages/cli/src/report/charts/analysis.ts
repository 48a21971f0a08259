import type { TopLevelSpec } from 'vega-lite';
import type { GradientSpread } from '../../runs/analysis-records.ts';
import { mean } from '../../shared/statistics.ts';
import type { Summary } from '../../results/figures.ts';
import { runTitle } from '../../results/summary.ts';
import {
  type Chart,
  type ChartMaker,
  type Panel,
  maximumPanels,
  omitted,
  unlessEmpty,
} from '../chart.ts';
import { linePanelSpec, spokenNumber } from '../line-panel.ts';
import { strategyStyles } from '../palette.ts';

/** Means over seeds, one line for each objective and one panel for each strategy and part. */
function spreadChart(
  summary: Summary,
  about: Pick<Chart, 'id' | 'title' | 'explanation'>,
  yTitle: string,
  value: (spread: GradientSpread) => number,
): Chart | null {
  const styles = strategyStyles(summary.objectives);
  const panels = summary.rows.flatMap(({ strategy, title: name }): Panel[] => {
    const records = summary.shown
      .filter((run) => run.strategy === strategy)
      .flatMap(({ analysis }) => analysis.filter((record) => record.kind === 'gradients'));
    // Those that there are: a file may name any number as an epoch's.
    const epochs = [...new Set(records.map(({ epoch }) => epoch))].sort((a, b) => a - b);
    const parts = [...new Set(records.flatMap(({ parts: all }) => all.map(({ part }) => part)))];
    return parts.flatMap((part) => {
      const points = summary.objectives.flatMap((objective) =>
        epochs.flatMap((epoch) => {
          const found = records
            .filter((record) => record.epoch === epoch)
            .flatMap(({ parts: all }) => all.filter((one) => one.part === part))
            .flatMap(({ objectives }) => objectives.filter((one) => one.objective === objective))
            .map(value)
            .filter((number) => number > 0);
          return found.length > 0 ? [{ strategy: objective, x: epoch, y: mean(found) }] : [];
        }),
      );
      if (points.length === 0) return [];
      const title = `${name}: ${part} parameters`;
      return [
        {
          title,
          description: `${title}: ${yTitle} over epochs, one line per objective`,
          spec: linePanelSpec(
            {
              points,
              xTitle: 'epoch',
              yTitle,
              xDomain: [0, Math.max(1, epochs.at(-1) ?? 0)],
              logarithmic: true,
              marks: true,
            },
            styles,
          ),
        },
      ];
    });
  });
  return unlessEmpty({
    ...about,
    explanation: about.explanation + omitted(panels.length, 'panels'),
    legend: styles,
    panels: panels.slice(0, maximumPanels),
  });
}

/** How large each objective's gradient is at fixed weights. */
export const gradientSizeChart: ChartMaker = (summary) =>
  spreadChart(
    summary,
    {
      id: 'gradient-size',
      title: 'Gradient size at fixed weights',
      explanation:
        'Mean norm of each objective’s gradient of a part over many batches at the weights that an epoch ended with ' +
        '(0: the initial ones). MMPareto’s authors observe that the multimodal gradient is the smaller one.',
    },
    'gradient norm',
    ({ norm }) => norm,
  );

/** How much each objective's gradient varies from batch to batch at fixed weights. */
export const gradientCovarianceChart: ChartMaker = (summary) =>
  spreadChart(
    summary,
    {
      id: 'gradient-covariance',
      title: 'Gradient noise at fixed weights',
      explanation:
        'Trace of the covariance of each objective’s gradient over the same batches: its mean squared distance from ' +
        'the mean gradient. MMPareto’s authors observe that it is smaller for the multimodal gradient.',
    },
    'trace of the covariance',
    ({ covarianceTrace }) => covarianceTrace,
  );

function landscapeSpec(
  cells: readonly { a: number; b: number; loss: number }[],
  step: number,
): TopLevelSpec {
  const axis = (field: 'a' | 'b', title: string) => ({
    field,
    type: 'quantitative',
    bin: { binned: true, step },
    title,
    scale: { domain: [-1 - step / 2, 1 + step / 2], nice: false },
    axis: { values: [-1, -0.5, 0, 0.5, 1], format: '.1~f', grid: false },
  });
  const edges = cells.map((cell) => ({
    ...cell,
    a: cell.a - step / 2,
    a2: cell.a + step / 2,
    b: cell.b - step / 2,
    b2: cell.b + step / 2,
    label: `${spokenNumber(cell.a)}, ${spokenNumber(cell.b)}: loss ${spokenNumber(cell.loss)}`,
  }));
  return {
    width: 210,
    height: 210,
    layer: [
      {
        data: { values: edges },
        mark: { type: 'rect', aria: true },
        encoding: {
          description: { field: 'label', type: 'nominal' },
          x: axis('a', 'first direction'),
          x2: { field: 'a2' },
          y: axis('b', 'second direction'),
          y2: { field: 'b2' },
          color: {
            field: 'loss',
            type: 'quantitative',
            scale: { type: 'log', scheme: 'viridis', reverse: true },
            legend: { title: 'loss', format: '.4~g', gradientLength: 150, tickCount: 4 },
          },
        },
      },
      {
        data: { values: [{ a: 0, b: 0 }] },
        mark: {
          type: 'point',
          shape: 'cross',
          size: 70,
          filled: true,
          color: '#ffffff',
          stroke: '#1a1a1a',
        },
        encoding: {
          x: { field: 'a', type: 'quantitative' },
          y: { field: 'b', type: 'quantitative' },
        },
      },
    ],
  } as unknown as TopLevelSpec;
}

/** Loss in a plane through the weights that training ended with. */
export const landscapeChart: ChartMaker = (summary) => {
  const panels = summary.shown.flatMap((run) =>
    run.analysis.flatMap((record) => {
      if (record.kind !== 'landscape') return [];
      const step = record.coordinates[1]! - record.coordinates[0]!;
      return Object.entries(record.losses).map(([objective, rows]): Panel => {
        const cells = rows.flatMap((row, j) =>
          // A logarithmic scale has no zero.
          row.map((loss, i) => ({
            a: record.coordinates[i]!,
            b: record.coordinates[j]!,
            loss: Math.max(loss, 1e-6),
          })),
        );
        const title = `${runTitle(run, summary.titles)}: ${objective} loss`;
        return {
          title,
          description: `${title} in a plane through the final weights`,
          spec: landscapeSpec(cells, step),
        };
      });
    }),
  );
  return unlessEmpty({
    id: 'landscape',
    title: 'Loss landscape around the found minimum',
    explanation:
      'Mean training loss in a plane through the final weights (the cross), along two random directions in which each ' +
      `filter moves by up to its own norm. Flat surroundings are said to generalise better.${omitted(panels.length, 'panels')}`,
    legend: false,
    panels: panels.slice(0, maximumPanels),
  });
};
