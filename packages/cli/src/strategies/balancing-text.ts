import type { BalancingPlugin } from '@multigrad/balancing';
import type { OptionSpec } from '@multigrad/core/strategy';
import { wrapText } from '../shared/wording.ts';
import { citation, indented, optionLines } from './strategies-text.ts';

/** Balancing methods as text, with their papers and options. @param full - with formulas and deviations too */
export function balancingText(plugins: readonly BalancingPlugin[], full: boolean): string {
  const entries = plugins.map((plugin) => {
    const { name, title, summary, use, serves, paper, formula, deviations } = plugin;
    const options = Object.entries<OptionSpec>(plugin.options);
    return [
      `${name}  (${title})`,
      ...indented(summary, 2),
      ...indented(use, 2),
      ...indented(`Networks: ${serves}.`, 2),
      ...indented(citation(paper, authorsOf(paper.authors)), 2),
      ...(full ? ['  What it changes:', ...indented(formula, 4)] : []),
      ...(full && deviations.length > 0 ? ['  Where it differs from the paper or its code:'] : []),
      ...(full ? deviations.flatMap((one) => indented(one, 4)) : []),
      ...(options.length > 0 ? ['  Options, their defaults and ranges:'] : []),
      ...options.flatMap(([option, spec]) => optionLines(option, spec)),
    ].join('\n');
  });
  if (full) return entries.join('\n\n\n');
  const hints =
    'One in full, with its formula: multigrad balancing ogm-ge. Train with one beside a strategy: ' +
    'multigrad train cg-mnist --strategy mmpareto --balance ogm-ge:alpha=0.3.';
  return [...entries, wrapText(hints, 80).join('\n')].join('\n\n');
}

/** Balancing methods as JSON: an array of the descriptions of plugins. */
export function balancingJson(plugins: readonly BalancingPlugin[]): string {
  const entries = plugins.map(
    ({ name, title, summary, paper, formula, use, serves, deviations, options }) => ({
      ...{ name, title, summary, paper, formula, use, serves, deviations, options },
    }),
  );
  return JSON.stringify(entries, null, 2);
}

/** The page of balancing methods in Markdown, made of their plugins. */
export function balancingPage(plugins: readonly BalancingPlugin[]): string {
  return [
    '# Balancing methods',
    '',
    'Made by `npm run docs:balancing` from the descriptions that the methods of',
    '[`@multigrad/balancing`](../packages/balancing#readme) carry. Each goes together with any strategy:',
    '`multigrad compare cg-mnist --strategies sum,mmpareto --balance none,ogm-ge`. Their place in a step, and a loop of',
    'your own, are on the page of the package.',
    '',
    '| method | name | when to choose it | networks |',
    '| --- | --- | --- | --- |',
    ...plugins.map(
      ({ title, name, use, serves }) =>
        `| [${title}](#${anchorOf(title)}) | \`${name}\` | ${cell(use)} | ${cell(serves)} |`,
    ),
    '',
    ...plugins.flatMap(sectionOf),
  ].join('\n');
}

function sectionOf({
  title,
  summary,
  formula,
  paper,
  deviations,
  options,
  name,
}: BalancingPlugin): string[] {
  const { authors, venue, year, url } = paper;
  const described = Object.entries<OptionSpec>(options);
  return [
    `## ${title}`,
    '',
    `${summary} ${authors.join(', ')}, [${paper.title}](${url}), ${venue} ${year}.`,
    '',
    '```txt',
    formula,
    '```',
    '',
    ...(described.length === 0
      ? [`\`${name}\` has no options.`, '']
      : [...described.map(([option, { description }]) => `- \`${option}\`: ${description}`), '']),
    ...(deviations.length === 0
      ? []
      : [
          'Where it differs from the paper or its authors’ code:',
          '',
          ...deviations.map((one) => `- ${one}`),
          '',
        ]),
  ];
}

/** The address of a heading within a page, as GitHub and the site make it. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

function authorsOf(authors: readonly string[]): string {
  return authors.length > 3 ? `${authors[0]!} et al.` : authors.join(', ');
}
