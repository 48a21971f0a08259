import { own } from '../base/own.ts';
import { describeValue } from '../base/describe-value.ts';
import { MultigradError } from '../base/errors.ts';
import type { OptionSpec, OptionSpecs, OptionValue } from './options.ts';
import { assertKnownOption } from '../base/known-options.ts';
import { checkOption, describeOption, describeWeight } from './options-resolve.ts';

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Options written as texts, as on a command line, turned into values by their descriptions.
 *
 * Numbers are decimal (`2`, `-1.5`, `1e-3`), `off` stands for null, booleans are `true` and `false`, an objective is
 * written by its name, and weights are given one objective at a time: `weights.image=0.5`, where all after the first dot
 * is the objective's name. Only the options written are in the result; the factory fills in the others.
 *
 * @param owner - whose options these are, for messages: a strategy's name
 * @throws MultigradError `invalid-option` for an unknown name, a text that is no value of the option's kind, or a value out of
 * range
 *
 * @example
 * ```ts
 * import type { OptionSpecs } from '@multigrad/core/strategy';
 * import { optionsFromText } from '@multigrad/core/support';
 *
 * const specs: OptionSpecs<{ readonly rate?: number | null }> = {
 *   rate: { kind: 'number', default: 0.9, nullable: true, description: 'Share kept a step.' },
 * };
 * console.log(optionsFromText('decay', specs, { rate: '1e-3' })); // { rate: 0.001 }
 * console.log(optionsFromText('decay', specs, { rate: 'off' })); // { rate: null }
 * ```
 */
export function optionsFromText(
  owner: string,
  specs: OptionSpecs,
  texts: Readonly<Record<string, string>>,
): Readonly<Record<string, OptionValue>> {
  const options = new Map<string, OptionValue>();
  const weights = new Map<string, [string, number][]>();
  for (const [key, text] of Object.entries(texts)) {
    const dot = key.indexOf('.');
    const name = dot < 0 ? key : key.slice(0, dot);
    assertKnownOption(owner, specs, name);
    const spec = own(specs, name)!;
    if (dot < 0) {
      options.set(name, checkOption(owner, name, spec, valueFromText(owner, name, spec, text)));
    } else if (spec.kind === 'weights' && dot + 1 < key.length) {
      const given = weights.get(name) ?? [];
      const expected = describeWeight(spec, 'a finite number');
      given.push([key.slice(dot + 1), numberFromText(owner, key, expected, text)]);
      weights.set(name, given);
    } else {
      throw new MultigradError(
        'invalid-option',
        spec.kind === 'weights'
          ? `Option \`${key}\` of \`${owner}\` should name an objective: \`${name}.<objective>=<weight>\`.`
          : `Option \`${name}\` of \`${owner}\` has no parts: it should be ${describeOption(spec)}. Found \`${key}\`.`,
      );
    }
  }
  for (const [name, given] of weights) {
    if (options.has(name)) {
      throw new MultigradError(
        'invalid-option',
        `Option \`${name}\` of \`${owner}\` is both off and given for ${given.map(([objective]) => `\`${objective}\``).join(', ')}.`,
      );
    }
    options.set(name, checkOption(owner, name, own(specs, name)!, Object.fromEntries(given)));
  }
  return Object.fromEntries(options);
}

function valueFromText(owner: string, name: string, spec: OptionSpec, text: string): OptionValue {
  switch (spec.kind) {
    case 'number':
      if (spec.nullable === true && text === 'off') return null;
      return numberFromText(owner, name, describeOption(spec), text);
    case 'choice':
      return text;
    case 'objective':
      return text === 'off' ? null : text;
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true';
      throw unreadable(owner, name, describeOption(spec), text);
    case 'weights':
      if (text === 'off') return null;
      throw unreadable(
        owner,
        name,
        `given one objective at a time, \`${name}.<objective>=<weight>\`, or \`off\` (all one)`,
        text,
      );
  }
}

function numberFromText(owner: string, name: string, expected: string, text: string): number {
  // Number() alone would take '', '0x10' and 'Infinity'.
  if (!decimal.test(text)) throw unreadable(owner, name, expected, text);
  return Number(text);
}

function unreadable(owner: string, name: string, expected: string, text: string): MultigradError {
  return new MultigradError(
    'invalid-option',
    `Option \`${name}\` of \`${owner}\` should be ${expected}. Found ${describeValue(text)}.`,
  );
}
