// Small pictures as SVG texts. Colours are variables, so that a picture follows the reader's light or dark mode both on
// its own (by the style it carries) and within the site (by the theme's style).

/**
 * What a picture carries when it stands alone; within the site the theme says the same. The colours are those of the
 * reports' palette (a test compares them): a is the joint loss's, b CAGrad's, c
 * PCGrad's, d MGDA's, e MMPareto's, f UPGrad's; words on paper are darker.
 */
const style =
  '<style>:root{--f-ink:#24292f;--f-quiet:#57606a;--f-rule:#d0d7de;--f-paper:#fff;--f-a:#0072b2;--f-b:#d55e00;' +
  '--f-c:#009e73;--f-d:#cc79a7;--f-e:#e69f00;--f-f:#56b4e9;--f-a-words:#0072b2;--f-b-words:#c04f00;--f-c-words:#007a57;' +
  '--f-d-words:#a8487e;--f-e-words:#8a6200;--f-f-words:#1c74a8}' +
  '@media(prefers-color-scheme:dark){:root{--f-ink:#e6e6e6;--f-quiet:#a6a9ae;--f-rule:#3c4148;--f-paper:#15171a;' +
  '--f-a:#4aa3df;--f-b:#f0803c;--f-c:#2fc898;--f-d:#dd8fba;--f-e:#f0b93c;--f-f:#8fd0f5;--f-a-words:#4aa3df;--f-b-words:#f0803c;' +
  '--f-c-words:#2fc898;--f-d-words:#dd8fba;--f-e-words:#f0b93c;--f-f-words:#8fd0f5}}</style>';

const escape = (text) =>
  String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** Two digits behind the point: a hundredth of a pixel. */
const n = (value) => String(Math.round(value * 100) / 100 + 0);

export const colour = (name) => `var(--f-${name})`;
const wordColour = (name) => colour(/^[a-f]$/.test(name) ? `${name}-words` : name);

/** A picture of that many pixels. */
export class Picture {
  #parts = [];

  constructor(width, height) {
    this.width = width;
    this.height = height;
  }

  add(part) {
    this.#parts.push(part);
    return this;
  }

  text(
    x,
    y,
    text,
    { anchor = 'start', fill = 'ink', size = 14, weight = 400, italic = false } = {},
  ) {
    const slanted = italic ? ' font-style="italic"' : '';
    return this.add(
      `<text x="${n(x)}" y="${n(y)}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}"${slanted} style="fill:${wordColour(fill)}">${escape(text)}</text>`,
    );
  }

  path(
    points,
    { stroke = 'none', fill = 'none', width = 1.5, dash = '', close = false, opacity = 1 } = {},
  ) {
    const d = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${n(x)} ${n(y)}`).join('');
    const dashes = dash === '' ? '' : ` stroke-dasharray="${dash}"`;
    const paint = (name) => (name === 'none' ? 'none' : colour(name));
    return this.add(
      `<path d="${d}${close ? 'Z' : ''}" stroke-width="${width}"${dashes} stroke-linejoin="round" stroke-linecap="round" opacity="${opacity}" style="fill:${paint(fill)};stroke:${paint(stroke)}"/>`,
    );
  }

  circle(x, y, r, { fill = 'ink', stroke = 'none', width = 1.5 } = {}) {
    const paint = (name) => (name === 'none' ? 'none' : colour(name));
    return this.add(
      `<circle cx="${n(x)}" cy="${n(y)}" r="${n(r)}" stroke-width="${width}" style="fill:${paint(fill)};stroke:${paint(stroke)}"/>`,
    );
  }

  rect(x, y, width, height, { fill = 'none', stroke = 'none', radius = 4, opacity = 1 } = {}) {
    const paint = (name) => (name === 'none' ? 'none' : colour(name));
    return this.add(
      `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="${radius}" opacity="${opacity}" style="fill:${paint(fill)};stroke:${paint(stroke)}"/>`,
    );
  }

  arrow([x1, y1], [x2, y2], { stroke = 'ink', width = 2.5, dash = '' } = {}) {
    const length = Math.hypot(x2 - x1, y2 - y1);
    const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
    const head = Math.min(10, length * 0.6);
    const [bx, by] = [x2 - dx * head, y2 - dy * head];
    const half = head * 0.42;
    this.path(
      [
        [x1, y1],
        [bx, by],
      ],
      { stroke, width, dash },
    );
    return this.path(
      [
        [x2, y2],
        [bx - dy * half, by + dx * half],
        [bx + dy * half, by - dx * half],
      ],
      { fill: stroke, close: true },
    );
  }

  /** The file's text; `title` is what the picture says to those who do not see it. */
  toString(title) {
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}" font-family="system-ui, sans-serif">` +
      `<title>${escape(title)}</title>${style}\n${this.#parts.join('\n')}\n</svg>\n`
    );
  }
}

/** A stretch of the plane, as pixels of a picture. */
export function frame(
  picture,
  { x, y, left = 0, top = 0, width = picture.width, height = picture.height },
) {
  const [x0, x1] = x;
  const [y0, y1] = y;
  return ([px, py]) => [
    left + ((px - x0) / (x1 - x0)) * width,
    top + ((y1 - py) / (y1 - y0)) * height,
  ];
}

/** Axes with ticks at round values, and a frame for what is drawn between them. */
export function axes(picture, options) {
  const { x, y, left, top, width, height, xTicks, yTicks, xLabel, yLabel } = options;
  const { xText = String, yText = String } = options;
  const at = frame(picture, { x, y, left, top, width, height });
  for (const tick of xTicks) {
    const [px] = at([tick, y[0]]);
    picture.path(
      [
        [px, top],
        [px, top + height],
      ],
      { stroke: 'rule', width: 1 },
    );
    picture.text(px, top + height + 18, xText(tick), { anchor: 'middle', fill: 'quiet', size: 13 });
  }
  for (const tick of yTicks) {
    const [, py] = at([x[0], tick]);
    picture.path(
      [
        [left, py],
        [left + width, py],
      ],
      { stroke: 'rule', width: 1 },
    );
    picture.text(left - 7, py + 4.5, yText(tick), { anchor: 'end', fill: 'quiet', size: 13 });
  }
  picture.text(left + width, top + height + 36, xLabel, { anchor: 'end', fill: 'quiet', size: 13 });
  picture.text(4, top - 10, yLabel, { fill: 'quiet', size: 13 });
  return at;
}
