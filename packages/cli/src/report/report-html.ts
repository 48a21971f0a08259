import { readFileSync } from 'node:fs';
import { ioError } from '@multigrad/core/support';
import type { Findings } from '../results/findings.ts';
import type { Table } from '../results/table.ts';
import type { Standing } from '../results/figures.ts';
import type { Chart } from './chart.ts';
import { escapeHtml } from './escape.ts';
import { shapePaths, type StrategyStyle } from './palette.ts';
import { styleSheet } from './style-sheet.ts';

/** A chart whose panels have been drawn. */
export interface DrawnChart extends Chart {
  /** SVG, one for each panel. */
  readonly pictures: readonly string[];
}

/** The content of the page as plain text, which this file makes safe for HTML. */
export interface ReportPage {
  readonly title: string;
  /** What the experiment is about. */
  readonly lead: string;
  readonly results: Table;
  /** Paragraphs under the results. */
  readonly captions: readonly string[];
  /** The rays of a front, or null where there is none. */
  readonly front: { readonly table: Table; readonly captions: readonly string[] } | null;
  /** The strategies beside each other, or null where there is nothing to compare. */
  readonly comparison: Table | null;
  readonly comparisonCaption: string;
  /** What the seeds say about each objective. */
  readonly findings: readonly Findings[];
  /** What each modality contributes and what they have together; none where it was not measured. */
  readonly contributions: readonly Table[];
  readonly contributionCaption: string;
  /** Sentences on runs that are missing, failed or cut short. */
  readonly notes: readonly string[];
  readonly charts: readonly DrawnChart[];
  readonly styles: readonly StrategyStyle[];
  readonly runs: Table;
  /** Names and values of the configuration. */
  readonly configuration: readonly (readonly [string, string])[];
  /** Commands, each with what it does. */
  readonly commands: readonly { readonly purpose: string; readonly command: string }[];
  readonly sources: readonly string[];
}

/** A sample of a strategy's line, with its mark in the middle, as an SVG element. */
export function swatch({ colour, dash, shape }: StrategyStyle): string {
  return (
    '<svg class="swatch" width="26" height="10" viewBox="0 0 26 10" aria-hidden="true">' +
    `<line x1="0" y1="5" x2="26" y2="5" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dash.join(' ')}"/>` +
    `<path transform="translate(13,5)" d="${shapePaths[shape]}" fill="${colour}"/></svg>`
  );
}

/** The looks that a chart's legend shows; none where its panels name them. */
export function legendOf(
  { legend: wanted }: Pick<Chart, 'legend'>,
  styles: readonly StrategyStyle[],
): readonly StrategyStyle[] {
  if (wanted === false) return [];
  return wanted === true ? styles : wanted;
}

function legend(styles: readonly StrategyStyle[]): string {
  if (styles.length === 0) return '';
  const entries = styles.map((style) => `<li>${swatch(style)}${escapeHtml(style.title)}</li>`);
  return `<ul class="legend" aria-label="Legend">${entries.join('')}</ul>`;
}

/** What follows a number that stands out, and what a screen reader says in its place. */
const marks = {
  best: ['*', 'best'],
  close: ['≈', 'not distinguishable from the best'],
} as const;

function cellHtml(cell: string, standing: Standing | null): string {
  if (standing === null || standing === 'behind') return `<td>${escapeHtml(cell)}</td>`;
  const [sign, words] = marks[standing];
  return `<td class="${standing}">${escapeHtml(cell)} <abbr title="${words}">${sign}</abbr></td>`;
}

function table(
  { columns, rows, standings }: Table,
  id: string,
  coloured: readonly StrategyStyle[],
): string {
  const heading = columns
    .map(
      ({ title, detail }) =>
        `<th scope="col">${escapeHtml(title)}${detail === '' ? '' : `<small>${escapeHtml(detail)}</small>`}</th>`,
    )
    .join('');
  const body = rows.map((cells, row) => {
    const [name = '', ...rest] = cells;
    const style = coloured.find(({ title }) => name === title || name === `${title} †`);
    const first = `<th scope="row">${style ? swatch(style) : ''}${escapeHtml(name)}</th>`;
    return `<tr>${first}${rest.map((cell, column) => cellHtml(cell, standings?.[row]?.[column + 1] ?? null)).join('')}</tr>`;
  });
  return (
    `<div class="scroll" tabindex="0"><table id="${id}"><thead><tr>${heading}</tr></thead>` +
    `<tbody>${body.join('\n')}</tbody></table></div>`
  );
}

/** A part of the page with a heading of its own. */
export interface PageSection {
  readonly id: string;
  /** The whole `section` element, made safe. */
  readonly html: string;
}

/** A section around parts that are safe; empty ones are left out. */
export function section(id: string, title: string, parts: readonly string[]): PageSection {
  const html = [`<section id="${id}">`, `<h2>${escapeHtml(title)}</h2>`, ...parts, '</section>'];
  return { id, html: html.filter((part) => part !== '').join('\n') };
}

/** The panels of a chart, with the legend that their colours need. */
export function chartPanels(chart: DrawnChart, styles: readonly StrategyStyle[]): string {
  const panels = chart.pictures.map(
    (picture, index) =>
      `<figure><figcaption>${escapeHtml(chart.panels[index]!.title)}</figcaption>` +
      `<div role="img" tabindex="0" aria-label="${escapeHtml(chart.panels[index]!.description)}">${picture}</div></figure>`,
  );
  return [
    legend(legendOf(chart, styles)),
    `<div class="panels${[2, 4].includes(panels.length) ? ' pairs' : ''}">${panels.join('\n')}</div>`,
  ].join('\n');
}

/** Buttons that save a chart as a picture, which the page's script shows. */
function downloads(title: string): string {
  const button = (kind: string): string =>
    `<button type="button" data-download="${kind.toLowerCase()}" aria-label="${escapeHtml(`${kind}: save “${title}” as a picture`)}">${kind}</button>`;
  return `<p class="downloads">${button('SVG')} ${button('PNG')}</p>`;
}

function paragraphs(texts: readonly string[]): string {
  return texts.map((text) => `<p>${escapeHtml(text)}</p>`).join('\n');
}

function findingsList({ objective, sentences }: Findings): string {
  const items = sentences.map((sentence) => `<li>${escapeHtml(sentence)}</li>`);
  return `<h3>${escapeHtml(objective)}</h3>\n<ul class="findings">${items.join('\n')}</ul>`;
}

/** The sections of the page, in order. */
export function pageSections(page: ReportPage): PageSection[] {
  const notes = page.notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('');
  const entry = ([name, value]: readonly [string, string]): string =>
    `<div${value.length > 30 ? ' class="wide"' : ''}><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`;
  return [
    ...(page.front === null
      ? []
      : [
          section('front', 'Front', [
            table(page.front.table, 'front-table', page.styles),
            `<div class="caption">${paragraphs(page.front.captions)}</div>`,
          ]),
        ]),
    section('results', 'Results', [
      table(page.results, 'results-table', page.styles),
      `<div class="caption">${paragraphs(page.captions)}</div>`,
      notes === ''
        ? ''
        : `<div class="notes"><p><strong>Not everything ran to its end.</strong> † marks figures of runs cut short.</p><ul>${notes}</ul></div>`,
    ]),
    ...(page.comparison === null
      ? []
      : [
          section('comparison', 'Beside each other', [
            paragraphs([page.comparisonCaption]),
            table(page.comparison, 'comparison-table', page.styles),
            ...page.findings.map(findingsList),
          ]),
        ]),
    ...(page.contributions.length === 0
      ? []
      : [
          section('contributions', 'Modalities', [
            paragraphs([page.contributionCaption]),
            ...page.contributions.map((one, k) =>
              table(one, `contributions-table-${k}`, page.styles),
            ),
          ]),
        ]),
    ...page.charts.map((chart) =>
      section(chart.id, chart.title, [
        `<p>${escapeHtml(chart.explanation)}</p>`,
        downloads(chart.title),
        chartPanels(chart, page.styles),
      ]),
    ),
    section('runs', 'Every run', [table(page.runs, 'runs-table', [])]),
    section('configuration', 'Configuration', [
      `<dl>${page.configuration.map(entry).join('\n')}</dl>`,
    ]),
    section(
      'commands',
      'Commands',
      page.commands.map(
        ({ purpose, command }) =>
          `<p>${escapeHtml(purpose)}</p>\n<pre><code>${escapeHtml(command)}</code></pre>`,
      ),
    ),
    section('sources', 'Sources', [
      `<ul>${page.sources.map((source) => `<li>${escapeHtml(source)}</li>`).join('\n')}</ul>`,
    ]),
  ];
}

/** The page's script, as the build compiled it: the file of a report stands alone. */
function pageScript(): string {
  // From `src/report` as from `dist/report` this is the compiled module.
  const address = new URL('../../dist/report/browser/charts.js', import.meta.url);
  try {
    return readFileSync(address, 'utf8').replace(/\n\/\/# sourceMappingURL=.*/, '');
  } catch (cause) {
    throw ioError(`read the script of the report, ${address.pathname}`, cause);
  }
}

/**
 * The whole report as one HTML file that needs nothing else, no fonts and no network. Its script lets charts download and
 * say their values; without it the page shows the same.
 *
 * @throws MultigradError `io` where the script is not there
 */
export function reportHtml(page: ReportPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(page.title)}</title>
<style>
${styleSheet}</style>
</head>
<body>
<header>
<h1>${escapeHtml(page.title)}</h1>
<p>${escapeHtml(page.lead)}</p>
</header>
<main>
${pageSections(page)
  .map(({ html }) => html)
  .join('\n')}
</main>
<script type="module">
${pageScript()}
startCharts(document);
</script>
</body>
</html>
`;
}
