import {
  type Encoder,
  encoders,
  type Objective,
  objectives,
  type StepNews,
  type TestNews,
} from './protocol.ts';

type Column = (number | null)[];

/** What is known of one contestant: in each column the number of step s stands at s, or null. */
export interface Curves {
  readonly losses: Readonly<Record<Objective, Column>>;
  readonly accuracies: Readonly<Record<Objective, Column>>;
  readonly cosines: Readonly<Record<Encoder, Column>>;
  readonly milliseconds: Column;
}

/** Before the first step. */
export const noCurves = (): Curves => ({
  losses: { multimodal: [], gray: [], color: [] },
  accuracies: { multimodal: [], gray: [], color: [] },
  cosines: { gray: [], color: [] },
  milliseconds: [],
});

/** Writes the news into the columns. */
export function record(curves: Curves, news: StepNews | TestNews): void {
  const { step } = news;
  if (news.kind === 'test') {
    for (const name of objectives) put(curves.accuracies[name], step, news.accuracies[name]);
    return;
  }
  for (const name of objectives) put(curves.losses[name], step, news.losses[name]);
  for (const name of encoders) put(curves.cosines[name], step, news.cosines?.[name] ?? null);
  put(curves.milliseconds, step, news.milliseconds);
}

function put(column: Column, at: number, value: number | null): void {
  while (column.length < at) column.push(null);
  column[at] = value;
}

/** The last number of a column, if there is one. */
export const latest = (column: readonly (number | null)[]): number | null =>
  column.findLast((value) => value !== null) ?? null;

/** The mean of the last numbers up to each step: batches are small and their losses jump. */
export function smoothed(column: readonly (number | null)[], count: number): Column {
  const recent: number[] = [];
  return column.map((value) => {
    if (value === null) return null;
    recent.push(value);
    if (recent.length > count) recent.shift();
    return recent.reduce((sum, one) => sum + one, 0) / recent.length;
  });
}

/** The median of the last numbers of a column. */
export function recentMedian(column: readonly (number | null)[], count: number): number | null {
  const sorted = column
    .filter((value) => value !== null)
    .slice(-count)
    .sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}

/** Columns beside that of the steps, all equally long, as charts take them. */
export function chartData(columns: readonly (readonly (number | null)[])[]): Column[] {
  const length = Math.max(0, ...columns.map((column) => column.length));
  return [
    Array.from({ length }, (_, step) => step),
    ...columns.map((column) => Array.from({ length }, (_, step) => column[step] ?? null)),
  ];
}
