import { own } from '@multigrad/core/strategy';
import type { TopLevelSpec } from 'vega-lite';
import { formatEstimate } from '../../results/table.ts';
import { testScore, whatIsShown } from '../../results/shown-metric.ts';
import { runTitle } from '../../results/summary.ts';
import { selectsBest } from '../../runs/settings.ts';
import type { Summary } from '../../results/figures.ts';
import { type ChartMaker, unlessEmpty } from '../chart.ts';
import { numberFormat, spokenNumber, strategyEncoding } from '../line-panel.ts';
import { ink } from '../palette.ts';
import type { StrategyStyle } from '../palette.ts';

const plotWidth = 240;
const rowHeight = 34;
/** How far below the middle of its row a strategy's mark is; its name is above. */
const markOffset = 7;

/** The means with one standard deviation to either side, and the single seeds, in percent. */
function dotSpec(
  summary: Summary,
  styles: readonly StrategyStyle[],
  objective: string,
): TopLevelSpec {
  const metric = summary.metrics.get(objective)!;
  const { title: metricTitle, unit, scale, digits } = metric;
  const [least, most] = scale === 100 ? [0, 100] : [-Infinity, Infinity];
  const { color, shape } = strategyEncoding(styles);
  const rows = summary.rows.flatMap(({ strategy, title, score: all }) => {
    const score = own(all, objective);
    if (!score) return [];
    const mean = scale * score.mean;
    const spread = scale * (score.sd ?? 0);
    const text = formatEstimate(score, scale, digits);
    const low = Math.max(least, mean - spread);
    const high = Math.min(most, mean + spread);
    return [{ strategy, title, mean, low, high, text, label: `${title}: ${text}` }];
  });
  const seeds = summary.shown.flatMap((run) => {
    const score = testScore(run.epoch, objective, metric);
    if (score === undefined) return [];
    const label = `${runTitle(run, summary.titles)}: ${spokenNumber(scale * score)}`;
    return [{ strategy: run.strategy, score: scale * score, label }];
  });
  const y = {
    field: 'strategy',
    type: 'nominal',
    sort: rows.map(({ strategy }) => strategy),
    axis: null,
  };
  const x = {
    type: 'quantitative',
    title: `test ${metricTitle}${unit === '' ? '' : ` (${unit})`}`,
    scale: { zero: false, padding: 8 },
    axis: { format: numberFormat },
  };
  const description = { field: 'label', type: 'nominal' };
  // The strategy's name stands above its mark: names with options are longer than any margin.
  const names = {
    data: { values: rows },
    mark: { type: 'text', align: 'left', baseline: 'bottom', dy: -1, fontSize: 11, color: ink },
    encoding: { y, x: { value: 0 }, text: { field: 'title', type: 'nominal' } },
  };
  const spreads = {
    data: { values: rows },
    mark: { type: 'rule', yOffset: markOffset, strokeWidth: 2.5, opacity: 0.55 },
    encoding: { y, x: { field: 'low', ...x }, x2: { field: 'high' }, color },
  };
  const dots = {
    data: { values: seeds },
    mark: {
      ...{ type: 'point', yOffset: markOffset, filled: true, fill: '#ffffff', stroke: ink },
      ...{ strokeWidth: 1, size: 22, opacity: 1, aria: true },
    },
    encoding: { y, x: { field: 'score', ...x }, description },
  };
  const means = {
    data: { values: rows },
    mark: { type: 'point', yOffset: markOffset, filled: true, size: 70, opacity: 1, aria: true },
    encoding: { y, x: { field: 'mean', ...x }, color, shape, description },
  };
  const labels = {
    data: { values: rows },
    mark: { type: 'text', align: 'left', dy: markOffset, fontSize: 11, color: ink },
    encoding: { y, x: { value: plotWidth + 6 }, text: { field: 'text', type: 'nominal' } },
  };
  const several = summary.config.seeds.length > 1;
  return {
    width: plotWidth,
    height: { step: rowHeight },
    layer: [names, ...(several ? [spreads, dots] : []), means, labels],
  } as unknown as TopLevelSpec;
}

/** What is shown of each objective on the test set after the chosen epoch, one row per strategy. */
export const finalAccuracyChart: ChartMaker = (summary, styles) =>
  unlessEmpty({
    id: 'final-accuracy',
    title: selectsBest(summary.config.settings)
      ? `Test ${whatIsShown(summary)} after the epoch that validates best`
      : `Test ${whatIsShown(summary)} after the last epoch`,
    explanation:
      summary.config.seeds.length > 1
        ? 'Coloured marks are means over seeds, lines one standard deviation to either side, circles the single seeds; the figures ' +
          'give mean ± standard deviation. The axis fits the data.'
        : 'One seed: differences can be chance. The axis fits the data.',
    legend: false,
    panels: summary.objectives
      .filter((name) => summary.rows.some((row) => own(row.score, name)))
      .map((name) => ({
        title: `${name} head`,
        description: `${name} head: final test ${summary.metrics.get(name)!.title} by strategy`,
        spec: dotSpec(summary, styles, name),
      })),
  });
