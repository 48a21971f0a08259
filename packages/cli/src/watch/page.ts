import { readFileSync } from 'node:fs';
import { ioError } from '@multigrad/core/support';
import { styleSheet } from '../report/style-sheet.ts';

/** The page without content, which its script fills in. */
export const pageHtml = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>multigrad</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/page.css">
<script type="module" src="/page.js"></script>
</head>
<body>
<header>
<p id="status" role="status">Connecting …</p>
<h1 id="title">multigrad</h1>
<p id="lead"></p>
<p id="trouble" class="notes" role="alert" hidden></p>
</header>
<main id="sections"><noscript><p>This page follows a run as it goes, for which it needs JavaScript.</p></noscript></main>
</body>
</html>
`;

/**
 * The modules of the page's script, which are in `browser/`, and what the report's charts do; the page asks for the first
 * one, which imports the others.
 */
export const pageModules = [
  'page.js',
  'sections.js',
  'status.js',
  'report/browser/charts.js',
] as const;

/**
 * A module of the page's script, as the build compiled it.
 *
 * @throws MultigradError `io` where it is not there
 */
export function pageModule(name: (typeof pageModules)[number]): string {
  // From `src/watch` as from `dist/watch` this is the compiled module.
  const file = name.startsWith('report/') ? name : `watch/browser/${name}`;
  const address = new URL(`../../dist/${file}`, import.meta.url);
  try {
    return readFileSync(address, 'utf8');
  } catch (cause) {
    throw ioError(`read the script of the page, ${address.pathname}`, cause);
  }
}

/** The style sheet: that of the report, and what a live page has beside a report. */
export function pageStyle(): string {
  return `${styleSheet}
#status { float: right; margin: .3rem 0 .3rem 1rem; font-size: .875rem; color: var(--quiet); }
#status::before { content: ""; display: inline-block; width: .6rem; height: .6rem; margin-right: .4rem; border-radius: 50%;
  background: var(--quiet); }
#status.live::before { background: #009e73; }
#status.lost::before { background: #d55e00; }
@media (max-width: 40rem) { #status { float: none; margin: 0 0 .5rem; } }
progress { width: 100%; max-width: 46rem; height: .75rem; accent-color: #0072b2; }
`;
}

/** The icon of the page: a falling curve. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">
<path d="M1 2C4 12 8 13 15 14" fill="none" stroke="#0072b2" stroke-width="2.5" stroke-linecap="round"/>
</svg>
`;
