import { type Config, type TopLevelSpec, compile } from 'vega-lite';
import { View, parse } from 'vega';

export const font =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

const config: Config = {
  background: 'transparent',
  font,
  view: { stroke: null },
  // Marks that say their values turn this on.
  mark: { aria: false },
  axis: {
    aria: false,
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 400,
    labelColor: '#333333',
    titleColor: '#333333',
    domainColor: '#888888',
    tickColor: '#888888',
    gridColor: '#e6e6e6',
    labelOverlap: 'greedy',
    tickCount: 5,
  },
  // Every panel leaves the same room for labels, so that plots in a column are aligned.
  axisY: { minExtent: 36 },
  legend: { aria: false },
  header: { labelFontSize: 11, labelColor: '#333333', titleFontSize: 12, titleFontWeight: 400 },
  line: { strokeJoin: 'round', strokeCap: 'butt' },
};

/**
 * Vega writes what a mark stands for into attributes for screen readers, which would read hundreds of them. Here it becomes
 * the mark's title, which browsers and viewers of pictures show where the pointer rests.
 */
function titled(svg: string): string {
  return svg
    .replaceAll(
      /<(path|rect) ([^>]*?)aria-label="([^"]*)"([^>]*?)\/?>(?:<\/\1>)?/g,
      (_, ...parts) => {
        const [tag, before, label, after] = parts as [string, string, string, string];
        return `<${tag} ${before}${after}><title>${label}</title></${tag}>`;
      },
    )
    .replaceAll(/ (?:aria-[a-z]+|role)="[^"]*"/g, '');
}

/** Width of a panel's plot area, in pixels: narrow enough for a telephone to show it at full size. */
export const panelWidth = 265;
/** Height of a panel's plot area, in pixels. */
export const panelHeight = 180;

/**
 * Draws a Vega-Lite specification as SVG, without a browser.
 *
 * @param prefix - stands before every id within the picture, so that several fit in one page
 */
export async function renderChart(spec: TopLevelSpec, prefix: string): Promise<string> {
  const { spec: vegaSpec } = compile(spec, { config });
  const view = new View(parse(vegaSpec), { renderer: 'none' });
  try {
    const svg = await view.toSVG();
    return titled(svg)
      .replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', '')
      .replaceAll(/ id="([^"]+)"/g, ` id="${prefix}-$1"`)
      .replaceAll(/url\(#([^)]+)\)/g, `url(#${prefix}-$1)`);
  } finally {
    view.finalize();
  }
}
