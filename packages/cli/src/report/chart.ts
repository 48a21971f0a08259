import type { TopLevelSpec } from 'vega-lite';
import type { Summary } from '../results/figures.ts';
import type { StrategyStyle } from './palette.ts';

/** One picture of a chart. */
export interface Panel {
  /** The heading above the picture. */
  readonly title: string;
  /** A sentence on what the panel shows, for screen readers. */
  readonly description: string;
  readonly spec: TopLevelSpec;
}

/** A chart of the report: panels side by side, a sentence that explains them, and a legend. */
export interface Chart {
  /** Short word for links and ids. */
  readonly id: string;
  readonly title: string;
  readonly explanation: string;
  readonly panels: readonly Panel[];
  /** True for a legend of the strategies' colours, false where panels name them; a list for colours with another meaning. */
  readonly legend: boolean | readonly StrategyStyle[];
}

/** Makes a chart of what was measured, or null where nothing was. */
export type ChartMaker = (summary: Summary, styles: readonly StrategyStyle[]) => Chart | null;

/** The chart, or null where it has no panel to show. */
export function unlessEmpty(chart: Chart): Chart | null {
  return chart.panels.length > 0 ? chart : null;
}

/** The most panels of a chart: a network with a hundred groups would fill the page. */
export const maximumPanels = 12;

/** A sentence for charts that leave panels out. */
export function omitted(total: number, what: string): string {
  return total > maximumPanels
    ? ` The first ${maximumPanels} of ${total} ${what} are shown; the rest is in steps.jsonl.`
    : '';
}
