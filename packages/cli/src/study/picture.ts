import { escapeHtml } from '../report/escape.ts';
import { colours } from '../report/palette.ts';

/** A colour of a picture: a letter of the palette, or what is drawn in no method's colour. */
export type Paint = 'ink' | 'quiet' | 'rule' | 'paper' | 'a' | 'b' | 'c' | 'd' | 'e' | 'f';

/** Where a letter's colour stands in the palette; the same letters as in the pictures of the guides. */
const letters: readonly (readonly [Paint, number])[] = [
  ['a', 4],
  ['b', 6],
  ['c', 2],
  ['d', 3],
  ['e', 0],
  ['f', 5],
];

const paints = (mode: 'light' | 'dark', others: string): string =>
  others +
  letters
    .map(([letter, place]) => {
      const { light, words, dark } = colours[place]!;
      return mode === 'light'
        ? `--f-${letter}:${light};--f-${letter}-words:${words}`
        : `--f-${letter}:${dark};--f-${letter}-words:${dark}`;
    })
    .join(';');

// Variables, so that a picture follows the reader's mode, alone as well as within a page that sets them.
const style =
  `<style>:root{${paints('light', '--f-ink:#24292f;--f-quiet:#57606a;--f-rule:#d0d7de;--f-paper:#fff;')}}` +
  `@media(prefers-color-scheme:dark){:root{${paints('dark', '--f-ink:#e6e6e6;--f-quiet:#a6a9ae;--f-rule:#3c4148;--f-paper:#15171a;')}}}</style>`;

const n = (value: number): string => String(Math.round(value * 100) / 100 + 0);
const colour = (paint: Paint): string => `var(--f-${paint})`;
const wordColour = (paint: Paint): string =>
  `var(--f-${paint}${/^[a-f]$/.test(paint) ? '-words' : ''})`;

type Point = readonly [x: number, y: number];

/** A picture that grows part by part. */
export class Picture {
  readonly #parts: string[] = [];
  readonly width: number;

  constructor(width: number) {
    this.width = width;
  }

  text(
    [x, y]: Point,
    text: string,
    {
      anchor = 'start',
      fill = 'ink',
      size = 13,
      weight = 400,
    }: {
      anchor?: 'start' | 'middle' | 'end';
      fill?: Paint;
      size?: number;
      weight?: number;
    } = {},
  ): void {
    this.#parts.push(
      `<text x="${n(x)}" y="${n(y)}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}" style="fill:${wordColour(fill)}">${escapeHtml(text)}</text>`,
    );
  }

  line(
    points: readonly Point[],
    { stroke, width = 1.5, dash = '' }: { stroke: Paint; width?: number; dash?: string },
  ): void {
    const d = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${n(x)} ${n(y)}`).join('');
    const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`;
    this.#parts.push(
      `<path d="${d}" stroke-width="${width}"${dashes} stroke-linejoin="round" stroke-linecap="butt" style="fill:none;stroke:${colour(stroke)}"/>`,
    );
  }

  dot([x, y]: Point, { fill, stroke = fill }: { fill: Paint; stroke?: Paint }): void {
    this.#parts.push(
      `<circle cx="${n(x)}" cy="${n(y)}" r="4.5" stroke-width="2" style="fill:${colour(fill)};stroke:${colour(stroke)}"/>`,
    );
  }

  /** The file's text; `title` is what the picture says to those who do not see it. */
  svg(height: number, title: string): string {
    const size = `width="${n(this.width)}" height="${n(Math.ceil(height))}"`;
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${n(this.width)} ${n(Math.ceil(height))}" font-family="system-ui, sans-serif">` +
      `<title>${escapeHtml(title)}</title>${style}\n${this.#parts.join('\n')}\n</svg>\n`
    );
  }
}

/** Round values from one end of a range to the other, about as many as asked for. */
export function roundTicks(low: number, high: number, wanted: number): number[] {
  const raw = (high - low) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) =>
    Number(((first + k) * step).toPrecision(6)),
  );
}
