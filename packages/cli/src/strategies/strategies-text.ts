import { type CompositionDescription, descriptions } from '@multigrad/composition';
import { type OptionSpec, type Paper, type StrategyPlugin } from '@multigrad/core/strategy';
import { describeOption, optionDefault } from '@multigrad/core/support';
import { wrapText } from '../shared/wording.ts';

function shortCitation(paper: Paper): string {
  const { authors } = paper;
  return citation(paper, authors.length > 3 ? `${authors[0]!} et al.` : authors.join(', '));
}

/** A paper in one sentence. */
export function citation({ title, venue, year, url }: Paper, authors: string): string {
  return `${authors}, ${title}, ${venue} ${year}, ${url}`;
}

const lineWidth = 80;

/** Text in lines of the listings' width, each behind so many blanks. */
export function indented(text: string, indent: number): string[] {
  return wrapText(text, lineWidth - indent).map((line) => ' '.repeat(indent) + line);
}

/** An option with its default, its range and its description. */
export function optionLines(name: string, spec: OptionSpec): string[] {
  const value = optionDefault(spec);
  const shown =
    value === null ? 'off' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  // Weights are written one objective at a time, not as the object that a program gives.
  const range =
    spec.kind === 'weights'
      ? `${name}.<objective>=<number >= 0>, or off`
      : describeOption(spec).replace('null (off)', 'off');
  return [`    ${name}=${shown}  (${range})`, ...indented(spec.description, 6)];
}

/** The strategies as text, with their papers and options. */
export function strategiesText(plugins: readonly StrategyPlugin[]): string {
  const entries = plugins.map((plugin) => {
    const options = Object.entries<OptionSpec>(plugin.options);
    return [
      `${plugin.name}  (${plugin.title})`,
      ...indented(plugin.summary, 2),
      ...(plugin.use === undefined ? [] : indented(plugin.use, 2)),
      ...(plugin.paper ? indented(shortCitation(plugin.paper), 2) : []),
      ...(options.length > 0 ? ['  Options, their defaults and ranges:'] : []),
      ...options.flatMap(([name, spec]) => optionLines(name, spec)),
    ].join('\n');
  });
  const hints = [
    'One in full, with its formula and what it promises: multigrad strategies mmpareto.',
    `Functions that make a strategy of another one are shown so too: ${descriptions.map(({ name }) => name).join(', ')}.`,
    'Write options after a colon: mmpareto:gamma=2,rescale=tensor.',
    'The seed of a random strategy is that of the run, unless you write one.',
    'Somebody else’s strategy is named by its npm package or its path (./mine.js), a module that exports `plugin`.',
  ];
  return [...entries, wrapText(hints.join(' '), lineWidth).join('\n')].join('\n\n');
}

/** The strategies as JSON: an array of the descriptions of plugins, then of functions that make one of another. */
export function strategiesJson(
  plugins: readonly StrategyPlugin[],
  compositions: readonly CompositionDescription[] = [],
): string {
  const entries = plugins.map(
    ({ name, title, summary, paper, formula, use, properties, options }) => ({
      ...{ name, title, summary, paper, formula, use },
      // A factor that depends on the gradient is no number; JSON leaves it out.
      properties,
      options,
    }),
  );
  return JSON.stringify([...entries, ...compositions], null, 2);
}
