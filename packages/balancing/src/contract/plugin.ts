import {
  assertPlugin,
  MultigradError,
  type OptionSpecs,
  type Paper,
  type StrategyPlugin,
} from '@multigrad/core/strategy';
import { describeValue, optionsFromText } from '@multigrad/core/support';
import type { BalancingMethod } from './method.ts';

/** Describes a balancing method: a command line lists it, checks its options and makes it by name. */
export interface BalancingPlugin<Options extends object = object> {
  /** Version of this interface. */
  readonly specification: 1;
  /** The method's name, in kebab case, as a user writes it. */
  readonly name: string;
  /** The name as the paper writes it. */
  readonly title: string;
  /** One sentence that says what the method does. */
  readonly summary: string;
  readonly paper: Paper;
  /** What it changes, in plain text. */
  readonly formula: string;
  /** One sentence that says when to choose it. */
  readonly use: string;
  /** The networks that it serves, such as `any fusion`; a network that it cannot serve is refused with the reason. */
  readonly serves: string;
  /** Where it differs from the paper or from its authors' code; a sentence each. */
  readonly deviations: readonly string[];
  readonly options: OptionSpecs<Options>;
  /** Makes the method; throws `invalid-option` for options that do not fit their description. */
  create(options?: Options): BalancingMethod;
}

/**
 * A plugin of a balancing method, checked and frozen.
 *
 * @throws MultigradError `incompatible-strategy` that names the field which is wrong
 */
export function defineBalancing<Options extends object>(
  plugin: BalancingPlugin<Options>,
): BalancingPlugin<Options> {
  assertBalancingPlugin(plugin);
  return Object.freeze({ ...plugin });
}

/**
 * Checks that a value, perhaps from somebody else's package, is the plugin of a balancing method.
 *
 * @param source - where the value comes from, for messages
 * @throws MultigradError `incompatible-strategy` that names the field which is wrong
 */
export function assertBalancingPlugin(
  value: unknown,
  source?: string,
): asserts value is BalancingPlugin {
  // The fields that both kinds of plugins have, by one check.
  assertPlugin(value, source);
  const plugin = value as StrategyPlugin & Readonly<Partial<Record<'serves', unknown>>>;
  if (typeof plugin.serves === 'string' && plugin.serves !== '') return;
  throw new MultigradError(
    'incompatible-strategy',
    `${source === undefined ? '' : `${source}: `}Plugin \`${plugin.name}\`: \`serves\` should say which networks a balancing method ` +
      `serves. Found ${describeValue(plugin.serves)}: is it the plugin of a strategy?`,
  );
}

/**
 * Makes the method of a plugin from options written as texts.
 *
 * @throws MultigradError `invalid-option` for texts that do not fit the plugin's options; `incompatible-strategy` where the
 * plugin makes something that is no method of its name
 */
export function createBalancing(
  plugin: BalancingPlugin,
  texts: Readonly<Record<string, string>> = {},
): BalancingMethod {
  const method = plugin.create(optionsFromText(plugin.name, plugin.options, texts));
  const fields = method as Partial<BalancingMethod>;
  if (fields.specification === 1 && fields.name === plugin.name) return method;
  throw new MultigradError(
    'incompatible-strategy',
    `Plugin \`${plugin.name}\`: \`create\` should make a method of specification 1 and this name. ` +
      `Found ${describeValue(fields.specification)} and ${describeValue(fields.name)}.`,
  );
}
