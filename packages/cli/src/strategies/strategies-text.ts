import { type OptionSpec, type Paper, type StrategyPlugin } from '@multigrad/core/strategy';
import { describeOption, optionDefault } from '@multigrad/core/support';
import { wrapText } from '../shared/wording.ts';

function citation({ authors, title, venue, year, url }: Paper): string {
  const names = authors.length > 3 ? `${authors[0]!} et al.` : authors.join(', ');
  return `${names}, ${title}, ${venue} ${year}, ${url}`;
}

const lineWidth = 80;

function indented(text: string, indent: number): string[] {
  return wrapText(text, lineWidth - indent).map((line) => ' '.repeat(indent) + line);
}

function optionLines(name: string, spec: OptionSpec): string[] {
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
      ...(plugin.paper ? indented(citation(plugin.paper), 2) : []),
      ...(options.length > 0 ? ['  Options, their defaults and ranges:'] : []),
      ...options.flatMap(([name, spec]) => optionLines(name, spec)),
    ].join('\n');
  });
  const hints = [
    'Write options after a colon: mmpareto:gamma=2,rescale=tensor.',
    'The seed of a random strategy is that of the run, unless you write one.',
    'Somebody else’s strategy is named by its npm package or its path (./mine.js), a module that exports `plugin`.',
  ];
  return [...entries, wrapText(hints.join(' '), lineWidth).join('\n')].join('\n\n');
}

/** The strategies as JSON: an array of plugin descriptions. */
export function strategiesJson(plugins: readonly StrategyPlugin[]): string {
  const entries = plugins.map(({ name, title, summary, paper, use, properties, options }) => ({
    name,
    title,
    summary,
    paper,
    use,
    // A factor that depends on the gradient is no number; JSON leaves it out.
    properties,
    options,
  }));
  return JSON.stringify(entries, null, 2);
}
