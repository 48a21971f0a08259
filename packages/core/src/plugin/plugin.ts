import { assertStrategy } from '../contract/check-strategy.ts';
import { describeValue } from '../base/describe-value.ts';
import { MultigradError } from '../base/errors.ts';
import type { OptionSpecs } from './options.ts';
import { assertOptionSpecs } from './options-check.ts';
import { optionsFromText } from './options-text.ts';
import type { StrategyProperties } from './properties.ts';
import { assertProperties } from './properties-check.ts';
import type { GradientStrategy } from '../contract/strategy.ts';

/** The publication that a strategy comes from. */
export interface Paper {
  readonly title: string;
  readonly authors: readonly string[];
  /** Where it was published: a conference or journal, or "arXiv". */
  readonly venue: string;
  readonly year: number;
  readonly url: string;
}

/**
 * The export `plugin` of a strategy package: a command line or a configuration can list the strategy, check its options
 * and make it by name.
 */
export interface StrategyPlugin<Options extends object = object> {
  /** Version of this interface; checked by `assertPlugin`, so that it can grow. */
  readonly specification: 1;
  /** The strategy's name, in kebab-case, as a user writes it. */
  readonly name: string;
  /** The name as the paper writes it. */
  readonly title: string;
  /** One sentence that says what the strategy does. */
  readonly summary: string;
  /** The publication, or null where there is none. */
  readonly paper: Paper | null;
  /** The update u in the gradients g_k of K objectives, in plain text: `u = Σ_k g_k / K`. */
  readonly formula?: string;
  /** One sentence that says when to choose it. */
  readonly use?: string;
  /** What it promises with default options, and what it does not; `@multigrad/conformance` tests it. */
  readonly properties?: StrategyProperties;
  /** The description of each option of `create`. */
  readonly options: OptionSpecs<Options>;
  /** Makes the strategy; throws `invalid-option` for options that do not fit their description. */
  create(options?: Options): GradientStrategy;
}

const pluginName = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/**
 * A plugin, checked and frozen: what a strategy package exports.
 *
 * @throws MultigradError `incompatible-strategy` that names the field which is wrong
 *
 * @example
 * ```ts
 * import { definePlugin, type GradientStrategy } from '@multigrad/core/strategy';
 *
 * const mean = (): GradientStrategy => ({
 *   specification: 1,
 *   name: 'mean',
 *   needs: { gradients: 'none' },
 *   init: () => null,
 *   integrate: ({ objectives }, state) => ({
 *     weights: new Float64Array(objectives.length).fill(1 / objectives.length),
 *     state,
 *   }),
 * });
 *
 * const plugin = definePlugin({
 *   specification: 1,
 *   name: 'mean',
 *   title: 'Mean',
 *   summary: 'Averages the gradients.',
 *   paper: null,
 *   options: {},
 *   create: mean,
 * });
 * console.log(plugin.create().name); // mean
 * ```
 */
export function definePlugin<Options extends object = object>(
  plugin: StrategyPlugin<Options>,
): StrategyPlugin<Options> {
  assertPlugin(plugin);
  const { specification, name, title, summary, paper, formula, use, properties, options } = plugin;
  return Object.freeze({
    specification,
    name,
    title,
    summary,
    paper: paper && Object.freeze({ ...paper, authors: Object.freeze([...paper.authors]) }),
    ...(formula === undefined ? {} : { formula }),
    ...(use === undefined ? {} : { use }),
    ...(properties === undefined ? {} : { properties: Object.freeze({ ...properties }) }),
    options: frozenSpecs(options),
    create: (given?: Options) => plugin.create(given),
  });
}

/**
 * Checks that a value, perhaps from somebody else's package, is a plugin that this version understands.
 *
 * @param source - where the value comes from, for messages: a package or a path
 * @throws MultigradError `incompatible-strategy` that names the field which is wrong, what was found and what was
 * expected
 *
 * @example
 * ```ts
 * import { assertPlugin } from '@multigrad/core/strategy';
 *
 * try {
 *   assertPlugin({ specification: 2, name: 'mean' }, './mean.js');
 * } catch (error) {
 *   console.log(String(error)); // … ./mean.js: … specification 2 …
 * }
 * ```
 */
export function assertPlugin(value: unknown, source?: string): asserts value is StrategyPlugin {
  const from = source === undefined ? '' : `${source}: `;
  if (typeof value !== 'object' || value === null) {
    throw new MultigradError(
      'incompatible-strategy',
      `${from}a strategy plugin should be an object made by \`definePlugin\`, exported as \`plugin\`. ` +
        `Found ${describeValue(value)}.`,
    );
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const { specification, name, title, summary, paper, formula, use, properties, options, create } =
    fields;
  const owner = `${from}Plugin${typeof name === 'string' ? ` \`${name}\`` : ''}`;
  if (specification !== 1) {
    throw new MultigradError(
      'incompatible-strategy',
      `${owner} follows specification ${describeValue(specification)}; this version of @multigrad/core understands ` +
        `specification 1. ${typeof specification === 'number' && specification > 1 ? 'Update @multigrad/core.' : 'Every plugin states `specification: 1`.'}`,
    );
  }
  expectField(
    owner,
    'name',
    name,
    typeof name === 'string' && pluginName.test(name),
    'a name in kebab-case, such as `my-strategy`',
  );
  for (const [field, text] of [
    ['title', title],
    ['summary', summary],
    ['formula', formula ?? 'left out'],
    ['use', use ?? 'left out'],
  ] as const) {
    expectField(owner, field, text, isText(text), 'a text that is not empty');
  }
  assertPaper(owner, paper);
  if (properties !== undefined) assertProperties(owner, properties);
  assertOptionSpecs(owner, options);
  expectField(
    owner,
    'create',
    create,
    typeof create === 'function',
    'the function that makes the strategy',
  );
}

/**
 * Makes the strategy of a plugin from options written as texts, with the checks that somebody else's plugin needs.
 *
 * @throws MultigradError `invalid-option` for texts that do not fit the plugin's options; `incompatible-strategy` where
 * the plugin makes something that is no strategy of its name
 *
 * @example
 * ```ts
 * import { createStrategy } from '@multigrad/core/strategy';
 * import { plugin } from '@multigrad/strategy-mmpareto';
 *
 * console.log(createStrategy(plugin, { gamma: '2' }).name); // mmpareto
 * ```
 */
export function createStrategy(
  plugin: StrategyPlugin,
  texts: Readonly<Record<string, string>> = {},
): GradientStrategy {
  const owner = `Plugin \`${plugin.name}\``;
  const options = optionsFromText(plugin.name, plugin.options, texts);
  let strategy: unknown;
  try {
    strategy = plugin.create(options);
  } catch (cause) {
    if (MultigradError.isInstance(cause)) throw cause;
    throw new MultigradError(
      'incompatible-strategy',
      `${owner}: \`create\` threw. ${cause instanceof Error ? String(cause) : describeValue(cause)}`,
      { cause },
    );
  }
  try {
    assertStrategy(strategy);
  } catch (cause) {
    throw new MultigradError('incompatible-strategy', `${owner}: ${(cause as Error).message}`, {
      cause,
    });
  }
  const { name } = strategy;
  expectField(owner, 'create().name', name, name === plugin.name, "the plugin's name");
  return strategy;
}

function assertPaper(owner: string, paper: unknown): void {
  if (paper === null) return;
  if (typeof paper !== 'object') {
    expectField(owner, 'paper', paper, false, 'a publication, or null where there is none');
  }
  const fields = paper as Readonly<Record<string, unknown>>;
  for (const field of ['title', 'venue', 'url'] as const) {
    expectField(
      owner,
      `paper.${field}`,
      fields[field],
      isText(fields[field]),
      'a text that is not empty',
    );
  }
  const { authors, year } = fields;
  expectField(
    owner,
    'paper.authors',
    authors,
    Array.isArray(authors) && authors.length > 0 && authors.every(isText),
    'an array of names',
  );
  expectField(owner, 'paper.year', year, Number.isInteger(year), 'a year');
}

function expectField(
  owner: string,
  field: string,
  value: unknown,
  isRight: boolean,
  expected: string,
): void {
  if (isRight) return;
  throw new MultigradError(
    'incompatible-strategy',
    `${owner}: \`${field}\` should be ${expected}. Found ${describeValue(value)}.`,
  );
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

function frozenSpecs<Specs extends object>(specs: Specs): Specs {
  const frozen = Object.entries(specs).map(([name, spec]: [string, object]) => {
    const copy = { ...spec };
    if ('choices' in copy && Array.isArray(copy.choices))
      copy.choices = Object.freeze([...(copy.choices as unknown[])]);
    return [name, Object.freeze(copy)] as const;
  });
  return Object.freeze(Object.fromEntries(frozen)) as Specs;
}
