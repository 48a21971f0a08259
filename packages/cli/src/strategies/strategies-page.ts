import type {
  GradientStrategy,
  Needs,
  Scope,
  StrategyPlugin,
  StrategyProperties,
} from '@multigrad/core/strategy';
import { packageOf } from './builtin.ts';

const dash = '–';

/** What a strategy asks the engine for, in words. */
export function seen({ gradients, losses, memory, batches = 1 }: Needs): string {
  const parts = [
    {
      none: null,
      gramian: 'Gramian',
      'tensor-gramians': 'Gramian of each tensor',
      rows: 'gradients',
    }[gradients],
    losses === undefined ? null : losses === 'epoch-means' ? 'losses of epochs' : 'losses',
    losses === 'now-and-after-step' ? 'losses after the step' : null,
    losses === 'now-and-epoch-means' ? 'losses of epochs' : null,
    memory === undefined ? null : 'memory',
    batches > 1 ? `${batches} batches` : null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

/** Passes through the network at a step with K objectives. */
function cost({ gradients, losses, batches = 1 }: Needs): string {
  const backward = gradients === 'none' ? '1' : batches > 1 ? `${batches} K` : 'K';
  const forward = batches + (losses === 'now-and-after-step' ? 1 : 0);
  return `${forward} + ${backward}`;
}

function holds(scope: Scope | undefined): string {
  if (scope === undefined) return dash;
  if (scope === true) return 'yes';
  return scope === 'independent' ? 'if independent' : 'no';
}

function size(homogeneity: StrategyProperties['homogeneity'] | undefined): string {
  if (homogeneity === undefined) return dash;
  if (typeof homogeneity === 'object') return 'its own';
  return homogeneity === 1 ? 's' : homogeneity === 0 ? '1' : `s^${homogeneity}`;
}

function link({ name, title }: StrategyPlugin): string {
  const { folder } = packageOf(name);
  return `[${title}](../packages/${folder}#readme)`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function section(title: string, text: string, plugins: readonly StrategyPlugin[]): string[] {
  const entries = plugins.map((plugin) => ({ plugin, strategy: plugin.create() }));
  return [
    `## ${title}`,
    '',
    text,
    '',
    ...table(
      [
        'strategy',
        'name',
        'when to choose it',
        'sees',
        'passes',
        'never conflicts',
        'stops',
        'size',
      ],
      entries.map(({ plugin, strategy }) => row(plugin, strategy)),
    ),
    '',
  ];
}

function row(plugin: StrategyPlugin, { needs }: GradientStrategy): string[] {
  const { name, use, properties } = plugin;
  return [
    link(plugin),
    `\`${name}\``,
    use ?? dash,
    seen(needs),
    cost(needs),
    holds(properties?.nonConflicting),
    properties === undefined ? dash : properties.stationary === 'zero' ? 'yes' : 'no',
    size(properties?.homogeneity),
  ];
}

/** The page of strategies in Markdown, made of their plugins: all that it says is declared there and tested. */
export function strategiesPage(plugins: readonly StrategyPlugin[]): string {
  const [blind, looking] = [true, false].map((isBlind) =>
    plugins.filter((plugin) => (plugin.create().needs.gradients === 'none') === isBlind),
  );
  const denials = looking!.flatMap((plugin) => {
    const scope = plugin.properties?.nonConflicting;
    return typeof scope === 'object' ? [`- ${plugin.title}: ${scope.not}`] : [];
  });
  const papers = plugins.flatMap(({ title, paper }) =>
    paper === null
      ? []
      : [
          `- ${title}: ${paper.authors.join(', ')}, [${paper.title}](${paper.url}), ${paper.venue} ${paper.year}`,
        ],
  );
  return [
    '# Strategies',
    '',
    'Made by `npm run docs:strategies` from the descriptions that the strategies carry; what they promise is tested by',
    '[`@multigrad/conformance`](../packages/conformance#readme), what they deny too. Defaults throughout.',
    '',
    ...section(
      'Strategies that look at gradients',
      'One backward pass for each of K objectives, and one read-back of their inner products.',
      looking!,
    ),
    ...section(
      'Strategies that see losses alone, or nothing',
      'One backward pass, as plain training has.',
      blind!,
    ),
    '## What the columns say',
    '',
    '- **name**: on the command line, as in `multigrad compare cg-mnist --strategies mmpareto,pcgrad`',
    '- **sees**: what the strategy asks the engine for; inner products are K × K numbers, read back once a step',
    '- **passes**: forward + backward passes of a step with K objectives (a memory takes K times the memory of the shared parameters)',
    '- **never conflicts**: the update has no negative inner product with any objective’s gradient; *if independent*: where gradients are linearly independent',
    '- **stops**: no update wherever a combination of the gradients with positive weights is zero (Pareto stationary)',
    '- **size**: by what the update is multiplied where all gradients are multiplied by s',
    '',
    '## Why the update of some opposes an objective',
    '',
    ...denials,
    '',
    '## Made of these',
    '',
    'Unit gradients, momentum on weights, weights found once in several steps, some objectives only, or a strategy for each group of',
    'parameters: see [`@multigrad/composition`](../packages/composition#readme).',
    '',
    '## Papers',
    '',
    ...papers,
    '',
  ].join('\n');
}
