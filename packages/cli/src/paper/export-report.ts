import { join } from 'node:path';
import { type Files, makeFolders, removeIfThere, replaceDurably } from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError, isMissing } from '@multigrad/core/support';
import { composePicture } from '../report/browser/charts.ts';
import { reportCommands } from '../report/outputs.ts';
import { type DrawPicture, reportPage } from '../report/report-content.ts';
import { type DrawnChart, legendOf, swatch } from '../report/report-html.ts';
import type { StrategyStyle } from '../report/palette.ts';
import { summarize } from '../results/summary.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import { readRuns } from '../runs/read-folder.ts';
import type { RunRecord } from '../runs/records.ts';
import { pictureFont } from './fonts.ts';
import type { WritePdf } from './pdf.ts';
import { paperFigures, paperTables } from './tables.ts';

/** Kinds of pictures that an export writes. */
export const pictureFormats = ['svg', 'pdf', 'png'] as const;
export type PictureFormat = (typeof pictureFormats)[number];

/** What an export is asked for. */
export interface ExportRequest {
  /** The output folder that is exported, and as the user wrote it. */
  readonly folder: string;
  readonly given: string;
  /** The folder to write to, and as the user wrote it. */
  readonly to: string;
  readonly givenTo: string;
  /** Null for all for which the packages are there. */
  readonly formats: readonly PictureFormat[] | null;
}

/** What an export has written. */
export interface Exported {
  /** Names of the files, sorted. */
  readonly names: readonly string[];
  /** Why formats that nobody asked for by name are missing, a sentence for each. */
  readonly missing: readonly string[];
}

/**
 * Writes the charts and tables of an output folder as files for a paper: pictures, CSV, and LaTeX. The same records give the
 * same bytes.
 *
 * @throws MultigradError `io` where a folder cannot be read or written, or the target holds files of somebody else;
 *   `unsupported` where a package that a format needs is not installed. Nothing is written then
 */
export async function exportReport(
  { folder, given, to, givenTo, formats: asked }: ExportRequest,
  config: ComparisonConfig,
  files: Files,
  draw?: DrawPicture,
): Promise<Exported> {
  await checkTarget(to, givenTo, files);
  const writers = await openWriters(asked);
  const runs = await readRuns(folder, config, files);
  const summary = summarize(config, runs);
  const { renderChart } = await import('../report/render-chart.ts');
  const page = await reportPage(summary, runs, reportCommands(config, given), draw ?? renderChart);
  const contents = new Map<string, string | Uint8Array>([
    ...(await pictures(page.charts, page.styles, writers, lastEnd(runs))),
    ...paperTables(summary, runs),
    ...(writers.pdf !== null || writers.png !== null
      ? [['figures.tex', paperFigures(summary, page.charts)] as const]
      : []),
    [markerFile, about(given)],
  ]);
  try {
    await makeFolders(files, to);
    // What an earlier export left and this one has not.
    for (const { name } of await files.list(to)) {
      if (!contents.has(name)) await removeIfThere(files, join(to, name));
    }
    for (const [name, content] of contents) await replaceDurably(files, join(to, name), content);
  } catch (cause) {
    throw ioError(`write to ${givenTo}`, cause);
  }
  return { names: [...contents.keys()].sort(), missing: writers.missing };
}

/** A file that marks a folder as one of exports, which the next export may write anew. */
const markerFile = 'about-this-export.txt';

const about = (given: string): string =>
  `Charts and tables of ${given}, by multigrad report --export. The next export into this folder replaces them.

The pictures are drawn with DejaVu Sans. PDF files hold the letters that they use, PNG files none; SVG files name the font,
and viewers that have it not take another. results.tex and comparison.tex need the LaTeX package booktabs, figures.tex
needs graphicx.
`;

/** Refuses a folder that holds what no export has written. */
async function checkTarget(to: string, given: string, files: Files): Promise<void> {
  let names: readonly string[];
  try {
    names = (await files.list(to)).map(({ name }) => name);
  } catch (cause) {
    if (isMissing(cause)) return;
    throw ioError(`use the folder ${given}`, cause);
  }
  const others = names.filter(
    (name) => !/^[a-z-]+\.(?:svg|pdf|png|csv|tex)(?:\.part)?$/.test(name),
  );
  if (
    names.length === 0 ||
    (names.includes(markerFile) && others.every((name) => name === markerFile))
  )
    return;
  throw new MultigradError(
    'io',
    `The folder ${given} holds files that no export has written (found ${names.slice(0, 3).join(', ')}` +
      `${names.length > 3 ? ', …' : ''}). Choose another with --export.`,
  );
}

/** When the last run ended: the date of files that have one. */
function lastEnd(runs: readonly RunRecord[]): Date {
  const ends = runs.map(({ result }) => Date.parse(result?.endedAt ?? '')).filter(Number.isFinite);
  return new Date(Math.max(0, ...ends));
}

/** A chart as one SVG file, with the font of exported pictures. */
export function chartPicture(chart: DrawnChart, styles: readonly StrategyStyle[]): string {
  return composePicture({
    title: chart.title,
    explanation: chart.explanation,
    legend: legendOf(chart, styles).map((style) => ({ title: style.title, swatch: swatch(style) })),
    panels: chart.pictures.map((svg, index) => ({ title: chart.panels[index]!.title, svg })),
    font: pictureFont,
  }).replaceAll(/font-family="[^"]*"/g, `font-family="${pictureFont}"`);
}

/** What writes each kind of picture; null for those that are not written. */
interface Writers {
  readonly svg: boolean;
  readonly pdf: WritePdf | null;
  readonly png: ((svg: string) => Uint8Array) | null;
  readonly missing: readonly string[];
}

/** Opens the writers of the formats that were asked for, or where none were, of those whose packages are there. */
async function openWriters(asked: readonly PictureFormat[] | null): Promise<Writers> {
  const formats = asked ?? pictureFormats;
  const missing: string[] = [];
  const unlessMissing = async <T>(
    format: PictureFormat,
    open: () => Promise<T>,
  ): Promise<T | null> => {
    if (!formats.includes(format)) return null;
    try {
      return await open();
    } catch (error) {
      if (asked !== null || !MultigradError.isInstance(error) || error.code !== 'unsupported')
        throw error;
      missing.push(error.message);
      return null;
    }
  };
  // Each takes a while to load.
  const pdf = await unlessMissing('pdf', async () => (await import('./pdf.ts')).openPdfWriter());
  const png = await unlessMissing('png', async () => (await import('./png.ts')).openPngWriter());
  return { svg: formats.includes('svg'), pdf, png, missing };
}

async function pictures(
  charts: readonly DrawnChart[],
  styles: readonly StrategyStyle[],
  { svg: asSvg, pdf, png }: Writers,
  date: Date,
): Promise<[string, string | Uint8Array][]> {
  const contents: [string, string | Uint8Array][] = [];
  for (const chart of charts) {
    const svg = chartPicture(chart, styles);
    if (asSvg) contents.push([`${chart.id}.svg`, svg]);
    if (pdf) contents.push([`${chart.id}.pdf`, await pdf({ svg, title: chart.title, date })]);
    if (png) contents.push([`${chart.id}.png`, png(svg)]);
  }
  return contents;
}
