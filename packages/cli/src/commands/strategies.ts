import {
  type OptionSpec,
  type Paper,
  type StrategyPlugin,
  describeOption,
  optionDefault,
} from '@multigrad/core/strategy';

function citation({ authors, title, venue, year, url }: Paper): string {
  const names = authors.length > 3 ? `${authors[0]!} et al.` : authors.join(', ');
  return `${names}, ${title}, ${venue} ${year}, ${url}`;
}

function optionLine(name: string, spec: OptionSpec): string {
  const value = optionDefault(spec);
  const shown =
    value === null ? 'off' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return `    ${name}=${shown}\n      ${spec.description} Takes ${describeOption(spec)}.`;
}

/** The strategies as text, with their papers and options. */
export function strategiesText(plugins: readonly StrategyPlugin[]): string {
  const entries = plugins.map((plugin) => {
    const options = Object.entries<OptionSpec>(plugin.options).map(([name, spec]) =>
      optionLine(name, spec),
    );
    return [
      `${plugin.name}  (${plugin.title})`,
      `  ${plugin.summary}`,
      ...(plugin.paper ? [`  ${citation(plugin.paper)}`] : []),
      ...(options.length > 0 ? ['  Options and their defaults:', ...options] : []),
    ].join('\n');
  });
  return [
    ...entries,
    'Write options after a colon: mmpareto:gamma=2,rescale=tensor. Somebody else’s strategy is named by its npm package or its\npath (./my-strategy.js), a module that exports `plugin`.',
  ].join('\n\n');
}

/** The same for programs: an array of plugin descriptions. */
export function strategiesJson(plugins: readonly StrategyPlugin[]): string {
  const entries = plugins.map(({ name, title, summary, paper, options }) => ({
    name,
    title,
    summary,
    paper,
    options,
  }));
  return JSON.stringify(entries, null, 2);
}
