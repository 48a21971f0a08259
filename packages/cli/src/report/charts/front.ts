import { own } from '@multigrad/core/strategy';
import type { TopLevelSpec } from 'vega-lite';
import { type Front, frontOf, type FrontPoint } from '../../results/front.ts';
import type { ChartMaker } from '../chart.ts';
import { numberFormat, spokenNumber, strategyEncoding } from '../line-panel.ts';
import { ink, type StrategyStyle } from '../palette.ts';

const side = 250;

/** Losses of two objectives, with the ray that each point was to end on. */
function planeSpec(
  { points }: Front,
  styles: readonly StrategyStyle[],
  [first, second]: readonly [string, string],
): TopLevelSpec {
  const { color, shape } = strategyEncoding(styles);
  const widest = 1.1 * Math.max(...points.map(({ losses }) => own(losses, first)!));
  const highest = 1.1 * Math.max(...points.map(({ losses }) => own(losses, second)!));
  const at = (point: FrontPoint) => ({
    strategy: point.strategy,
    x: own(point.losses, first)!,
    y: own(point.losses, second)!,
    label: `${point.title}: ${first} ${spokenNumber(own(point.losses, first)!)}, ${second} ${spokenNumber(own(point.losses, second)!)}`,
  });
  const rays = points.flatMap((point) => {
    const [x, y] = [own(point.ray, first)!, own(point.ray, second)!];
    // To the edge of the picture.
    const reach = Math.min(widest / x, highest / y);
    return [0, reach].map((far) => ({ strategy: point.strategy, x: far * x, y: far * y }));
  });
  const axis = (field: string, title: string, most: number): object => ({
    field,
    type: 'quantitative',
    title: `test loss of ${title}`,
    scale: { domain: [0, most], nice: false },
    axis: { format: numberFormat, tickCount: 5 },
  });
  const x = axis('x', first, widest);
  const y = axis('y', second, highest);
  const values = points.map(at);
  const numbers = numbersOf(
    values.map((one) => [(one.x / widest) * side, (one.y / highest) * side] as const),
  );
  return {
    width: side,
    height: side,
    layer: [
      {
        data: { values: rays },
        mark: { type: 'line', strokeWidth: 1, strokeDash: [4, 4], opacity: 0.7 },
        encoding: { x, y, color },
      },
      {
        data: { values },
        mark: { type: 'point', filled: true, size: 80, opacity: 1, aria: true },
        encoding: { x, y, color, shape, description: { field: 'label', type: 'nominal' } },
      },
      {
        data: { values: numbers.map(({ at: place, text }) => ({ ...values[place]!, text })) },
        mark: { type: 'text', align: 'left', dx: 7, dy: -6, fontSize: 11, color: ink },
        encoding: { x, y, text: { field: 'text', type: 'nominal' } },
      },
    ],
  } as unknown as TopLevelSpec;
}

/**
 * The numbers of marks, from 1 on, as texts beside the marks of these places: marks so close that their numbers would cover each
 * other have one text, as `1, 2`.
 *
 * @param places - of the marks, in pixels
 */
export function numbersOf(
  places: readonly (readonly [number, number])[],
): { readonly at: number; readonly text: string }[] {
  const texts: { at: number; text: string }[] = [];
  places.forEach(([x, y], mark) => {
    const near = texts.find(({ at }) => {
      const [left, top] = places[at]!;
      return Math.abs(x - left) < 14 && Math.abs(y - top) < 11;
    });
    if (near === undefined) texts.push({ at: mark, text: String(mark + 1) });
    else near.text += `, ${mark + 1}`;
  });
  return texts;
}

/** The losses that each ray's runs end at: one plane for two objectives, a plane for each pair of three. */
export const frontChart: ChartMaker = (summary, styles) => {
  const front = frontOf(summary);
  if (front === null) return null;
  const pairs = front.objectives.flatMap((second, k) =>
    front.objectives.slice(0, k).map((first) => [first, second] as const),
  );
  return {
    id: 'front-losses',
    title: 'Losses of each ray',
    explanation:
      'Marks are test losses, means over seeds, numbered as the rays; dashed lines are the rays that they were to end on' +
      (pairs.length > 1
        ? ', seen along the third objective.'
        : '. Lower and further left is better.'),
    legend: true,
    panels: pairs.map(([first, second]) => ({
      title: `${first} and ${second}`,
      description: `Test losses of ${first} and ${second}, one mark per ray`,
      spec: planeSpec(front, styles, [first, second]),
    })),
  };
};
