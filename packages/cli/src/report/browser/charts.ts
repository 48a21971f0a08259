// What charts do in a browser: they download as pictures, and say the values of their marks where the pointer rests or the
// keyboard goes. The report carries this file's compiled text, so it imports nothing. `composePicture` serves the export of
// files as well.

/** A chart as one picture is put together from these. */
export interface PictureParts {
  readonly title: string;
  readonly explanation: string;
  /** Each with the SVG element of its sample, 26 by 10. */
  readonly legend: readonly { readonly title: string; readonly swatch: string }[];
  /** Each with its SVG element. */
  readonly panels: readonly { readonly title: string; readonly svg: string }[];
  /** The font family of the words between the panels; panels bring their own. */
  readonly font: string;
}

const gap = 24;
const margin = 8;
const titleHeight = 20;
const lineHeight = 20;

const entities = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);
const escape = (text: string): string => text.replace(/[&<>"]/g, (c) => entities.get(c)!);

/** Room that words may take, in pixels: wide enough for the widest of usual fonts. */
const widthOf = (text: string, size: number): number => 0.62 * size * text.length;

/** An SVG element at a place within another picture. */
function placed(svg: string, x: number, y: number): string {
  return svg.replace(/^<svg(?: xmlns="[^"]*")?/, `<svg x="${x}" y="${y}"`);
}

function sizeOf(svg: string): readonly [number, number] {
  const size = (name: string): number =>
    Number(new RegExp(`^<svg[^>]* ${name}="([\\d.]+)"`).exec(svg)?.[1] ?? 0);
  return [size('width'), size('height')];
}

/** One picture of a chart, as a whole SVG file for white paper: its legend, and its panels in rows. */
export function composePicture(parts: PictureParts): string {
  const { title, explanation, legend, panels, font } = parts;
  const sizes = panels.map(({ svg }) => sizeOf(svg));
  const columns = panels.length === 4 ? 2 : Math.min(3, panels.length);
  const cell = Math.max(
    ...sizes.map(([width], k) => Math.max(width, widthOf(panels[k]!.title, 12))),
  );
  const width = 2 * margin + columns * cell + (columns - 1) * gap;
  const body: string[] = [];
  const words = (x: number, y: number, text: string, size: number): string =>
    `<text x="${x}" y="${y}" font-family="${escape(font)}" font-size="${size}px" fill="#1a1a1a">${escape(text)}</text>`;
  let [x, y] = [margin, margin];
  for (const { title: name, swatch } of legend) {
    const wide = 32 + widthOf(name, 12);
    if (x > margin && x + wide > width) [x, y] = [margin, y + lineHeight];
    body.push(placed(swatch, x, y + 3), words(x + 32, y + 12, name, 12));
    x += wide + 12;
  }
  if (legend.length > 0) y += lineHeight + 6;
  for (let first = 0; first < panels.length; first += columns) {
    const row = panels.slice(first, first + columns);
    row.forEach(({ title: name, svg }, column) => {
      const left = margin + column * (cell + gap);
      body.push(words(left, y + 12, name, 12), placed(svg, left, y + titleHeight));
    });
    y +=
      titleHeight + Math.max(...sizes.slice(first, first + columns).map(([, high]) => high)) + 12;
  }
  const height = y - 12 + margin;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">\n` +
    `<title>${escape(title)}</title>\n<desc>${escape(explanation)}</desc>\n` +
    `<rect width="${width}" height="${height}" fill="#ffffff"/>\n${body.join('\n')}\n</svg>\n`
  );
}

/** Pixels of a PNG for each of the picture's own. */
const sharpness = 3;

/** A chart of the page as one picture; colours are those of paper, whatever the page's are. */
function pictureOf(section: Element): string {
  const text = (selector: string): string => section.querySelector(selector)?.textContent ?? '';
  return composePicture({
    title: text('h2'),
    explanation: text('h2 ~ p'),
    legend: Array.from(section.querySelectorAll('.legend li'), (item) => ({
      title: item.textContent,
      swatch: serialized(item.querySelector('svg')!),
    })),
    panels: Array.from(section.querySelectorAll('figure'), (figure) => ({
      title: figure.querySelector('figcaption')!.textContent,
      svg: serialized(figure.querySelector('svg')!),
    })),
    font: 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif',
  });
}

function serialized(svg: Element): string {
  const copy = svg.cloneNode(true) as Element;
  for (const mark of copy.querySelectorAll('[data-says]')) {
    const title = document.createElementNS('http://www.w3.org/2000/svg', 'title');
    title.textContent = mark.getAttribute('data-says');
    mark.append(title);
    mark.removeAttribute('data-says');
  }
  return new XMLSerializer().serializeToString(copy);
}

async function asPng(picture: string): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([picture], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = sharpness * image.width;
    canvas.height = sharpness * image.height;
    canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => {
        if (blob === null) reject(new Error('The browser made no picture of the chart.'));
        else resolve(blob);
      }, 'image/png');
    });
  } finally {
    URL.revokeObjectURL(address);
  }
}

function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser reads it after this task.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function download(button: Element): Promise<void> {
  const section = button.closest('section')!;
  const picture = pictureOf(section);
  const kind = button.getAttribute('data-download')!;
  const content =
    kind === 'png' ? await asPng(picture) : new Blob([picture], { type: 'image/svg+xml' });
  save(content, `${section.id}.${kind}`);
}

/** The marks of a chart's panel that say something, in the order in which they are drawn. */
function marksOf(svg: Element): Element[] {
  // A browser's own box for titles would stand beside ours.
  for (const title of svg.querySelectorAll('title')) {
    title.parentElement!.setAttribute('data-says', title.textContent);
    title.remove();
  }
  return Array.from(svg.querySelectorAll('[data-says]'));
}

/** How far from the pointer a mark may be, in pixels. */
const reach = 24;

/** How far a mark's box is from a place, and how far its middle is. */
function distancesTo(mark: Element, x: number, y: number): readonly [number, number] {
  const { left, right, top, bottom } = mark.getBoundingClientRect();
  return [
    Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom)),
    Math.hypot((left + right) / 2 - x, (top + bottom) / 2 - y),
  ];
}

/** Lets the charts of a page download, and say the values of their marks. */
export function startCharts(page: Document): void {
  page.documentElement.classList.add('scripted');
  const tip = page.createElement('div');
  tip.className = 'tip';
  tip.setAttribute('role', 'status');
  page.body.append(tip);
  let shown: Element | null = null;
  // Where keys go on: a page that scrolls hides the values, and keeps the place.
  let place: Element | null = null;
  const show = (mark: Element | null): void => {
    if (mark === shown) return;
    shown?.classList.remove('shown');
    shown = mark;
    tip.classList.toggle('visible', mark !== null);
    if (mark === null) return;
    place = mark;
    mark.classList.add('shown');
    tip.textContent = mark.getAttribute('data-says');
    const { left, right, top, bottom } = mark.getBoundingClientRect();
    const middle = (left + right - tip.offsetWidth) / 2;
    tip.style.left = `${Math.max(4, Math.min(middle, page.documentElement.clientWidth - tip.offsetWidth - 4))}px`;
    const above = top - tip.offsetHeight - 8;
    tip.style.top = `${above > 0 ? above : bottom + 8}px`;
  };
  const panelOf = (target: EventTarget | null): Element | null =>
    target instanceof Element ? target.closest('figure [role="img"]') : null;
  page.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest('[data-download]') : null;
    if (button !== null) void download(button);
  });
  page.addEventListener('pointermove', ({ target, clientX, clientY }) => {
    const panel = panelOf(target);
    if (panel === null) {
      if (panelOf(page.activeElement) === null) show(null);
      return;
    }
    const near = marksOf(panel)
      .map((mark) => ({ mark, distances: distancesTo(mark, clientX, clientY) }))
      .filter(({ distances: [toBox] }) => toBox < reach)
      // Of marks that lie on each other the one whose middle is nearest.
      .sort((a, b) => a.distances[0] - b.distances[0] || a.distances[1] - b.distances[1]);
    show(near[0]?.mark ?? null);
  });
  page.addEventListener('keydown', (event) => {
    const panel = panelOf(page.activeElement);
    if (panel === null) return;
    const marks = marksOf(panel);
    const at = place === null ? -1 : marks.indexOf(place);
    const steps = new Map([
      ['ArrowRight', at + 1],
      ['ArrowLeft', at - 1],
      ['Home', 0],
      ['End', marks.length - 1],
    ]);
    if (event.key === 'Escape') show(null);
    const next = steps.get(event.key);
    if (next === undefined || marks.length === 0) return;
    event.preventDefault();
    show(marks[Math.max(0, Math.min(marks.length - 1, next))]!);
  });
  page.addEventListener('focusout', () => {
    show(null);
    place = null;
  });
  page.addEventListener('scroll', () => show(null), { passive: true });
}
