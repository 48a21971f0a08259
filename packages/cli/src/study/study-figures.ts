import { own } from '@multigrad/core/strategy';
import type { PairedTest } from '../results/paired-test.ts';
import { type GradientCourse, twoDigits } from './gradient-course.ts';
import { type Paint, Picture, roundTicks } from './picture.ts';
import type { Measure, RowResults, SettingResults } from './setting-results.ts';
import type { StudyRow } from './study.ts';

/** What a picture of a setting shows: rows beside the last reference, or gradients over training. */
export const figureKinds = ['differences', 'gradients'] as const;
export type FigureKind = (typeof figureKinds)[number];

/** A picture and what it says to those who do not see it. */
export interface Figure {
  readonly title: string;
  readonly svg: string;
}

/** The name of a picture's file, without its ending. */
export function figureName(setting: string, kind: FigureKind): string {
  return `${setting}-${kind}`;
}

/** The picture of a kind; null where a setting has nothing to draw. */
export function figureOf(results: SettingResults, kind: FigureKind): Figure | null {
  return kind === 'differences' ? differencesFigure(results) : gradientsFigure(results);
}

/** All pictures of a setting, by name. */
export function figuresOf(results: SettingResults): ReadonlyMap<string, Figure> {
  return new Map(
    figureKinds.flatMap((kind) => {
      const figure = figureOf(results, kind);
      return figure === null ? [] : [[figureName(results.setting.name, kind), figure] as const];
    }),
  );
}

/** The width of every picture. */
export const width = 420;

/** One line of the picture: a row, or a balancing method beside one strategy and beside another. */
interface Line<Row> {
  readonly label: string;
  readonly marks: readonly { readonly row: Row; readonly hollow: boolean }[];
}

/** Rows with the same balancing method share a line, where there are two of each. */
export function linesOf<Row extends { readonly row: StudyRow }>(rows: readonly Row[]): Line<Row>[] {
  const partners = new Map<string, Row[]>();
  for (const row of rows) {
    const { balance } = row.row;
    if (balance !== null) partners.set(balance, [...(partners.get(balance) ?? []), row]);
  }
  const pairs = [...partners.values()].filter(({ length }) => length > 1);
  const paired = pairs.length > 1 && pairs.every(({ length }) => length === 2);
  return rows.flatMap((row): Line<Row>[] => {
    const { title, balance } = row.row;
    const pair = balance === null || !paired ? undefined : partners.get(balance);
    if (pair?.length !== 2) return [{ label: title, marks: [{ row, hollow: false }] }];
    if (pair[0] !== row) return [];
    return [{ label: title, marks: pair.map((one, k) => ({ row: one, hollow: k === 1 })) }];
  });
}

function differencesFigure({ setting, measures, references, rows }: SettingResults): Figure | null {
  const reference = references.at(-1);
  if (reference === undefined) return null;
  const testOf = (row: RowResults, { title }: Measure): PairedTest | null =>
    own(own(row.differences, reference.name) ?? {}, title) ?? null;
  const shown = rows.filter((row) =>
    measures.some((measure) => (testOf(row, measure)?.n ?? 0) > 1),
  );
  if (shown.length === 0) return null;
  const lines = linesOf(shown);
  const hollow = lines.flatMap(({ marks }) => marks.filter((mark) => mark.hollow))[0];
  const filled = lines.find(({ marks }) => marks.length === 2)?.marks[0];
  const label = labelWidth(lines);
  const picture = new Picture(width);
  const [lineHeight, head] = [22, 26];
  let top = 4;
  if (hollow !== undefined && filled !== undefined) {
    picture.text(
      [4, top + 12],
      `filled: beside ${strategyName(filled.row.row)}, hollow: beside ${strategyName(hollow.row.row)}`,
      { fill: 'quiet' },
    );
    top += 22;
  }
  for (const measure of measures) {
    const { scale, sign } = measure.metric;
    const area = { left: label + 8, right: width - 12, top: top + head };
    const bottom = area.top + lines.length * lineHeight;
    const tests = shown.flatMap((row) => testOf(row, measure) ?? []);
    const reach = rangeOf(tests, scale);
    const unit = scale === 100 ? 'points' : measure.metric.title;
    const heading = `${measure.title} − ${reference.title}, ${unit}${sign < 0 ? ' (left is better)' : ''}`;
    const at = drawAxis(picture, { ...area, bottom }, reach, heading);
    lines.forEach((line, index) => {
      const middle = area.top + (index + 0.5) * lineHeight;
      picture.text([label, middle + 4.5], line.label, {
        anchor: 'end',
        fill: paintOf(line.marks[0]!.row.row),
      });
      line.marks.forEach(({ row, hollow: empty }, k) => {
        const test = testOf(row, measure);
        if (test === null) return;
        const y = middle + (line.marks.length === 1 ? 0 : k === 0 ? -4 : 4);
        const fill = paintOf(row.row);
        const [low, high] = test.interval ?? [test.mean, test.mean];
        picture.line([[at(scale * low), y], [at(scale * high), y]], { stroke: fill, width: 2 }); // prettier-ignore
        picture.dot([at(scale * test.mean), y], { fill: empty ? 'paper' : fill, stroke: fill });
      });
    });
    top = bottom + 26;
  }
  const title =
    `${setting.experiment.title}: mean difference of each row to ${reference.title} on the test set, ` +
    `with its 95 % interval: ${measures.map((measure) => summaryOf(shown, measure, testOf)).join('; ')}`;
  return { title, svg: picture.svg(top, title) };
}

/** The room that the lines' labels take, on the left. */
export function labelWidth(lines: readonly { readonly label: string }[]): number {
  return Math.min(190, 14 + 6.6 * Math.max(...lines.map(({ label }) => label.length)));
}

/**
 * Draws the axis of differences: a heading above it, round values below, and a line at zero.
 *
 * @param reach - half of the axis
 * @returns the place of a difference; one beyond the axis is at its end
 */
export function drawAxis(
  picture: Picture,
  { left, right, top, bottom }: Readonly<Record<'left' | 'right' | 'top' | 'bottom', number>>,
  reach: number,
  heading: string,
): (value: number) => number {
  const at = (value: number): number =>
    left + ((Math.max(-reach, Math.min(reach, value)) + reach) / (2 * reach)) * (right - left);
  picture.text([right, top - 13], heading, { anchor: 'end', fill: 'quiet' });
  for (const tick of roundTicks(-reach, reach, 4)) {
    const x = at(tick);
    picture.line([[x, top], [x, bottom]], { stroke: 'rule', width: 1 }); // prettier-ignore
    picture.text([x, bottom + 16], signedTick(tick), { anchor: 'middle', fill: 'quiet' });
  }
  const zero = at(0);
  picture.line([[zero, top], [zero, bottom]], { stroke: 'ink', width: 1.5, dash: '4 3' }); // prettier-ignore
  return at;
}

/** What a picture of differences says of one measure, in a few words. */
function summaryOf(
  rows: readonly RowResults[],
  measure: Measure,
  testOf: (row: RowResults, measure: Measure) => PairedTest | null,
): string {
  const tests = rows.flatMap((row) => testOf(row, measure) ?? []);
  const better = tests.filter(({ mean }) => mean * measure.metric.sign > 0).length;
  return `${measure.title} better for ${better} of ${tests.length} rows on average`;
}

/** Half of the axis: all means, and intervals up to three times as far; the longer ones run to its ends. */
function rangeOf(tests: readonly PairedTest[], scale: number): number {
  const farthest = Math.max(...tests.map(({ mean }) => Math.abs(mean)));
  const ends = Math.max(
    0,
    ...tests.flatMap(({ interval }) => (interval ?? []).map((end) => Math.abs(end))),
  );
  const reach = Math.min(3 * farthest, ends) || ends || 1;
  return 1.08 * scale * Math.max(reach, farthest);
}

const signedTick = (value: number): string => `${value > 0 ? '+' : ''}${value}`.replace('-', '−');

/** The title of a row's strategy, without the balancing method. */
export const strategyName = ({ strategy }: StudyRow): string => strategy.plugin.title;

/** Rows of one strategy have the same colour in every picture. */
export function paintOf({ strategy }: StudyRow): Paint {
  const paints: ReadonlyMap<string, Paint> = new Map([
    ['mmpareto', 'e'],
    ['pcgrad', 'c'],
    ['mgda', 'd'],
    ['joint', 'a'],
    ['upgrad', 'f'],
    ['cagrad', 'b'],
  ]);
  return paints.get(strategy.plugin.name) ?? 'ink';
}

const looks: readonly { readonly stroke: Paint; readonly dash: string }[] = [
  { stroke: 'a', dash: '' },
  { stroke: 'b', dash: '7 4' },
  { stroke: 'c', dash: '2 3' },
  { stroke: 'd', dash: '9 3 2 3' },
  { stroke: 'e', dash: '12 3' },
  { stroke: 'f', dash: '4 2 1 2' },
];

/** Lengths and cosines over the epochs, a line for each group; null where fewer than two epochs were looked at. */
function gradientsFigure({ setting, gradients }: SettingResults): Figure | null {
  const drawn = gradients.slice(0, looks.length);
  const epochs = Math.max(0, ...drawn.map(({ lengths }) => lengths.length));
  if (drawn.length === 0 || epochs < 2) return null;
  const tasks = setting.experiment.baseline === null;
  const picture = new Picture(width);
  const panels = [
    {
      title: tasks
        ? 'shortest gradient, of the longest'
        : 'joint gradient’s length, of the others’',
      of: ({ lengths }: GradientCourse) => lengths,
      mark: 1,
      span: [0, 1],
    },
    {
      title: 'median cosine between objectives',
      of: ({ cosines }: GradientCourse) => cosines.map((quartiles) => quartiles?.[1] ?? null),
      mark: 0,
      // Cosines near 0 should look near 0.
      span: [-0.5, 1],
    },
  ] as const;
  let top = 4;
  for (const { title, of, mark, span } of panels) {
    const area = { left: 44, right: width - 12, top: top + 24, height: 130 };
    const values = drawn.flatMap((course) => of(course).filter((value) => value !== null));
    const [low, high] = [Math.min(...span, ...values), 1.05 * Math.max(...span, ...values)];
    const at = (epoch: number, value: number): [number, number] => [
      area.left + (epoch / (epochs - 1)) * (area.right - area.left),
      area.top + ((high - value) / (high - low)) * area.height,
    ];
    picture.text([4, top + 13], title, { fill: 'quiet' });
    for (const tick of roundTicks(low, high, 4)) {
      const [, y] = at(0, tick);
      picture.line([at(0, tick), at(epochs - 1, tick)], { stroke: 'rule', width: 1 });
      picture.text([area.left - 6, y + 4.5], String(tick).replace('-', '−'), {
        anchor: 'end',
        fill: 'quiet',
      });
    }
    picture.line([at(0, mark), at(epochs - 1, mark)], { stroke: 'quiet', width: 1.5, dash: '4 3' });
    drawn.forEach((course, k) => {
      const points = of(course).flatMap((value, epoch) =>
        value === null ? [] : [at(epoch, value)],
      );
      picture.line(points, { ...looks[k]!, width: 2.2 });
    });
    top = area.top + area.height;
    for (const epoch of roundTicks(1, epochs, 4).filter((tick) => Number.isInteger(tick))) {
      const [x] = at(epoch - 1, low);
      picture.text([x, top + 16], String(epoch), { anchor: 'middle', fill: 'quiet' });
    }
    top += 28;
  }
  picture.text([width - 12, top + 2], 'epoch', { anchor: 'end', fill: 'quiet' });
  top += 14;
  const columns = drawn.length > 3 ? 3 : drawn.length;
  drawn.forEach(({ title }, k) => {
    const x = 4 + (k % columns) * ((width - 8) / columns);
    const y = top + Math.floor(k / columns) * 20 + 8;
    picture.line([[x, y - 4], [x + 26, y - 4]], { ...looks[k]!, width: 2.2 }); // prettier-ignore
    picture.text([x + 32, y], title, { fill: looks[k]!.stroke });
  });
  top += Math.ceil(drawn.length / columns) * 20;
  const last = ({ lengths, cosines }: GradientCourse): string =>
    [lengths.findLast((value) => value !== null), cosines.findLast((value) => value !== null)?.[1]]
      .map((value) => (value == null ? 'unknown' : twoDigits(value)))
      .join(' and ');
  const title =
    `${setting.experiment.title}: ${panels.map((panel) => panel.title).join(', and ')}, epoch by epoch; at the end ` +
    drawn.map((course) => `${course.title} ${last(course)}`).join(', ');
  return { title, svg: picture.svg(top, title) };
}
