import { own } from '@multigrad/core/strategy';
import type { TopLevelSpec } from 'vega-lite';
import { formatEstimate } from '../../results/table.ts';
import { testAccuracy } from '../../results/test-accuracy.ts';
import { selectsBest } from '../../runs/settings.ts';
import type { Summary } from '../../results/figures.ts';
import { type ChartMaker, unlessEmpty } from '../chart.ts';
import { numberFormat, strategyEncoding } from '../line-panel.ts';
import type { StrategyStyle } from '../palette.ts';

const plotWidth = 240;
const rowHeight = 34;
const barHeight = 12;

function barSpec(
  summary: Summary,
  styles: readonly StrategyStyle[],
  objective: string,
): TopLevelSpec {
  const { color } = strategyEncoding(styles);
  const rows = summary.rows.flatMap((row) => {
    const accuracy = own(row.accuracy, objective);
    return accuracy
      ? [
          {
            strategy: row.strategy,
            mean: 100 * accuracy.mean,
            text: formatEstimate(accuracy, 100, 1),
          },
        ]
      : [];
  });
  const seeds = summary.shown.flatMap((run) => {
    const accuracy = testAccuracy(run.epoch, objective);
    return accuracy === undefined ? [] : [{ strategy: run.strategy, accuracy: 100 * accuracy }];
  });
  const y = {
    field: 'strategy',
    type: 'nominal',
    sort: rows.map(({ strategy }) => strategy),
    axis: null,
  };
  const x = {
    type: 'quantitative',
    title: 'test accuracy (%)',
    scale: { domain: [0, 100] },
    axis: { format: numberFormat },
  };
  // The strategy's name stands above its bar: names with options are longer than any margin.
  const names = {
    data: { values: rows },
    mark: {
      type: 'text',
      align: 'left',
      baseline: 'bottom',
      dy: -3,
      fontSize: 11,
      color: '#1a1a1a',
    },
    encoding: { y, x: { value: 0 }, text: { field: 'strategy', type: 'nominal' } },
  };
  const bars = {
    data: { values: rows },
    mark: { type: 'bar', height: barHeight, yOffset: barHeight / 2 + 1 },
    encoding: { y, x: { field: 'mean', ...x }, color },
  };
  const dots = {
    data: { values: seeds },
    mark: {
      type: 'point',
      yOffset: barHeight / 2 + 1,
      filled: true,
      fill: '#ffffff',
      stroke: '#1a1a1a',
      strokeWidth: 1,
      size: 26,
      opacity: 1,
    },
    encoding: { y, x: { field: 'accuracy', ...x } },
  };
  const labels = {
    data: { values: rows },
    mark: { type: 'text', align: 'left', dy: barHeight / 2 + 1, fontSize: 11, color: '#1a1a1a' },
    encoding: { y, x: { value: plotWidth + 6 }, text: { field: 'text', type: 'nominal' } },
  };
  return {
    width: plotWidth,
    height: { step: rowHeight },
    layer: [names, bars, ...(summary.config.seeds.length > 1 ? [dots] : []), labels],
  } as unknown as TopLevelSpec;
}

/** Test accuracy after the chosen epoch, one bar per strategy. */
export const finalAccuracyChart: ChartMaker = (summary, styles) =>
  unlessEmpty({
    id: 'final-accuracy',
    title: selectsBest(summary.config.settings)
      ? 'Test accuracy after the epoch that validates best'
      : 'Test accuracy after the last epoch',
    explanation:
      summary.config.seeds.length > 1
        ? 'Bars are means over seeds and circles the single seeds; the figures give mean ± standard deviation.'
        : 'One seed: differences of a few points can be chance.',
    legend: false,
    panels: summary.objectives
      .filter((name) => summary.rows.some((row) => own(row.accuracy, name)))
      .map((name) => ({
        title: `${name} head`,
        description: `${name} head: final test accuracy by strategy`,
        spec: barSpec(summary, styles, name),
      })),
  });
