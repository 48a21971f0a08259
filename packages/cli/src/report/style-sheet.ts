import { colours } from './palette.ts';

/** Rules that give strategies their colours of a dark page. */
const darkColours = colours
  .flatMap(({ light, dark }) => [
    `  svg [stroke="${light}"] { stroke: ${dark}; }`,
    `  svg [fill="${light}"] { fill: ${dark}; }`,
  ])
  .join('\n');

const rules = `
:root { color-scheme: light dark; --page: #fff; --ink: #1a1a1a; --quiet: #555; --rule: #e6e6e6; --soft: #f4f4f4; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem; max-width: 72rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2.25rem 0 .25rem; }
p { margin: .4rem 0 .8rem; max-width: 46rem; }
.caption { color: var(--quiet); font-size: .875rem; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .9375rem; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .9rem .4rem 0; text-align: right; white-space: nowrap; vertical-align: bottom; }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--page); }
thead th { border-bottom: 2px solid var(--ink); font-weight: 600; }
thead small { display: block; color: var(--quiet); font-weight: 400; font-size: .8125rem; }
tbody th { font-weight: 500; }
tbody tr + tr > * { border-top: 1px solid var(--rule); }
td.best { font-weight: 700; }
td abbr { text-decoration: none; display: inline-block; width: .8em; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
.findings { margin: .25rem 0; padding-left: 1.1rem; max-width: 46rem; }
#runs-table { font-size: .8125rem; }
.swatch { margin-right: .45rem; vertical-align: middle; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .15rem 1.25rem; margin: 0 0 .6rem; padding: 0; font-size: .9375rem; }
.panels { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; align-items: flex-start; }
/* Two and four panels stand two in a row. */
.pairs { max-width: 46rem; }
figure { margin: 0; max-width: 100%; }
figcaption { font-size: .875rem; font-weight: 600; margin-bottom: .15rem; }
figure [role="img"]:focus-visible, button:focus-visible { outline: 3px solid #0072b2; outline-offset: 2px; }
figure .shown { stroke: var(--ink); stroke-width: 2px; }
/* What needs the script shows where it runs. */
.downloads { display: none; margin: 0 0 .5rem; }
.scripted .downloads { display: block; }
.downloads button { font: inherit; font-size: .8125rem; padding: .1rem .6rem; border: 1px solid var(--quiet); border-radius: .3rem;
  background: var(--page); color: var(--ink); cursor: pointer; }
.tip { position: fixed; visibility: hidden; max-width: min(24rem, calc(100vw - 8px)); padding: .25rem .5rem; border-radius: .25rem;
  background: var(--ink); color: var(--page); font-size: .8125rem; pointer-events: none; }
.tip.visible { visibility: visible; }
figure svg { display: block; max-width: 100%; height: auto; }
.notes { border-left: 4px solid #d55e00; padding: .1rem 0 .1rem 1rem; margin: 1rem 0; }
.notes ul { margin: .25rem 0; padding-left: 1.1rem; }
.notes li { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .2rem 1.5rem; margin: .5rem 0; }
dl div { display: flex; justify-content: space-between; gap: 1rem; border-bottom: 1px solid var(--rule); }
dl .wide { grid-column: 1 / -1; justify-content: flex-start; }
dl .wide dd { text-align: left; }
dt { color: var(--quiet); }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .6rem .8rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .875rem; }
@media screen and (prefers-color-scheme: dark) {
  :root { --page: #15171a; --ink: #e6e6e6; --quiet: #a6a9ae; --rule: #34383e; --soft: #22252a; }
  /* Charts are drawn for white paper: what would vanish on a dark page is given another colour. */
  figure svg text { fill: var(--ink); }
  figure svg [stroke="#e6e6e6"] { stroke: var(--rule); }
  figure svg [stroke="#1a1a1a"] { stroke: var(--ink); }
  figure svg [fill="#ffffff"] { fill: var(--page); }
${darkColours}
}
@media (max-width: 40rem) {
  body { padding: .9rem; }
  h1 { font-size: 1.35rem; }
  table { font-size: .8125rem; }
  th, td { padding-right: .6rem; }
  thead small { font-size: .75rem; }
  tbody .swatch { width: .75rem; margin-right: .3rem; }
  tbody th { white-space: normal; overflow-wrap: anywhere; min-width: 6.5rem; max-width: 8.5rem; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  h2 { break-after: avoid; }
  figure, tr, pre { break-inside: avoid; }
  .scroll { overflow: visible; }
  .scripted .downloads, .tip { display: none; }
}
`;

/** The report's style sheet: one column on narrow screens, panels side by side on wide ones, no chart cut when printed. */
export const styleSheet: string = rules;
