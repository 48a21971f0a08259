import type { CompositionDescription } from '@multigrad/composition';
import type {
  OptionSpec,
  Scope,
  StrategyPlugin,
  StrategyProperties,
} from '@multigrad/core/strategy';
import { seen } from './strategies-page.ts';
import { citation, indented, optionLines } from './strategies-text.ts';

const symbols =
  'u: the update; g_k: the gradient of objective k of K, row k of J; G = J Jᵀ, the Gramian; L_k: the losses.';

interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

/** Sections below a headline; those without lines are left out. */
function page(headline: string, sections: readonly Section[]): string {
  const shown = sections
    .filter(({ lines }) => lines.length > 0)
    .map(({ title, lines }) => [`  ${title}`, ...lines].join('\n'));
  return [headline, ...shown].join('\n\n');
}

const paragraph = (text: string | undefined): string[] =>
  text === undefined ? [] : indented(text, 4);

/** A sentence as an item of a list. */
function item(text: string): string[] {
  return indented(text, 6).map((line, index) =>
    index === 0 ? line.replace('      ', '    - ') : line,
  );
}

/** What a strategy promises with its default options and what it does not, a sentence each. */
export function promises(properties: StrategyProperties): {
  readonly kept: readonly string[];
  readonly denied: readonly string[];
} {
  const kept: string[] = [];
  const denied: string[] = [];
  const sort = (scope: Scope, promise: string): void => {
    if (typeof scope === 'object') denied.push(`${promise}: ${scope.not}.`);
    else
      kept.push(
        `${promise}${scope === true ? '' : ', if the gradients are linearly independent'}.`,
      );
  };
  const { nonConflicting, permutation, homogeneity, linearUnderRowScaling, single } = properties;
  sort(nonConflicting, 'The update conflicts with no objective');
  if (properties.stationary === 'zero') {
    kept.push('Where the gradients are Pareto stationary the update is zero.');
  } else denied.push('The update is zero where the gradients are Pareto stationary.');
  sort(permutation, 'The order of the objectives does not matter');
  if (typeof homogeneity === 'object') {
    denied.push(`Scaling all gradients scales the update by a power: ${homogeneity.not}.`);
  } else if (homogeneity === 0) kept.push('Scaling all gradients leaves the update as it is.');
  else {
    const power = homogeneity === 1 ? 's' : `s^${String(homogeneity)}`;
    kept.push(`Multiplying all gradients by s multiplies the update by ${power}.`);
  }
  sort(linearUnderRowScaling, 'The update is linear in the lengths of single gradients');
  if (typeof single === 'object') denied.push(`It takes a single objective: ${single.not}.`);
  else if (typeof single === 'number') {
    kept.push(`A single objective has the update ${single === 1 ? 'g' : `${String(single)} g`}.`);
  }
  return { kept, denied };
}

/** A value of an option for an example; null where it takes no single word. */
function exampleValue(spec: OptionSpec): string | null {
  switch (spec.kind) {
    case 'number': {
      const { default: usual, minimum, exclusiveMinimum = 0 } = spec;
      return String(usual ?? minimum ?? exclusiveMinimum + 1);
    }
    case 'choice':
      return spec.choices.find((choice) => choice !== spec.default) ?? spec.default;
    case 'boolean':
      return String(!spec.default);
    case 'weights':
    case 'objective':
      return null;
  }
}

/** A specifier with one option, as an example. */
export function exampleSpecifier(specifier: string, { options }: StrategyPlugin): string {
  if (specifier.includes(':')) return specifier;
  const specs = Object.entries<OptionSpec>(options);
  const choice = specs.find(([, { kind }]) => kind === 'choice');
  for (const [name, spec] of choice === undefined ? specs : [choice, ...specs]) {
    const value = name === 'seed' ? null : exampleValue(spec);
    if (value !== null) return `${specifier}:${name}=${value}`;
  }
  return specifier;
}

/**
 * One strategy in full: what it computes, what it needs and promises, its options, its paper and how to ask for it.
 *
 * @param specifier - as the user wrote it
 */
export function strategyDetails(specifier: string, plugin: StrategyPlugin): string {
  const { name, title, summary, use, formula, paper, options, properties } = plugin;
  const { kept, denied } = properties ? promises(properties) : { kept: [], denied: [] };
  const specs = Object.entries<OptionSpec>(options);
  return page(`${name}  (${title})`, [
    { title: 'What it does', lines: paragraph(summary) },
    { title: 'When to choose it', lines: paragraph(use) },
    {
      title: 'Formula',
      lines: formula === undefined ? [] : [...paragraph(formula), '', ...paragraph(symbols)],
    },
    { title: 'What it sees', lines: paragraph(`${seen(plugin.create().needs)}.`) },
    { title: 'Promises, with default options', lines: kept.flatMap(item) },
    { title: 'Does not promise', lines: denied.flatMap(item) },
    {
      title: 'Options, their defaults and ranges',
      lines:
        specs.length === 0
          ? paragraph('None.')
          : specs.flatMap(([option, spec]) => optionLines(option, spec)),
    },
    {
      title: 'Paper',
      lines: paragraph(paper === null ? 'None.' : citation(paper, paper.authors.join(', '))),
    },
    {
      title: 'Example',
      lines: [
        `    multigrad compare cg-mnist --strategies sum,${exampleSpecifier(specifier, plugin)}`,
      ],
    },
  ]);
}

/** A function that makes a strategy of another one, in full. */
export function compositionDetails(description: CompositionDescription): string {
  const { name, call, summary, formula, paper, promises: sentence, options } = description;
  return page(`${name}  (made of a strategy, in code)`, [
    { title: 'What it does', lines: paragraph(summary) },
    {
      title: 'Formula',
      lines: [
        ...paragraph(formula),
        '',
        ...paragraph(`${symbols} ŵ: the weights that the strategy inside finds.`),
      ],
    },
    { title: 'Promises', lines: paragraph(sentence) },
    {
      title: 'Options',
      lines: Object.entries(options).flatMap(([option, text]) => [
        `    ${option}`,
        ...indented(text, 6),
      ]),
    },
    { title: 'Paper', lines: paragraph(paper ?? 'None.') },
    {
      title: 'Example',
      lines: [
        `    import { ${name} } from '@multigrad/composition';`,
        `    ${call}`,
        ...paragraph(
          'On the command line: export it from a file of your own as a plugin, then --strategies ./mine.js.',
        ),
      ],
    },
  ]);
}
