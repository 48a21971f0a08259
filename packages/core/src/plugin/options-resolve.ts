import { describeValue } from '../base/describe-value.ts';
import { MultigradError } from '../base/errors.ts';
import { assertKnownOption } from '../base/known-options.ts';
import { didYouMean } from '../base/nearest-name.ts';
import type {
  NumberOption,
  ObjectiveWeights,
  OptionSpec,
  OptionSpecs,
  OptionValue,
  ResolvedOptions,
  WeightsOption,
} from './options.ts';

/**
 * The options given, checked against their description, with every default filled in.
 *
 * An option that is absent or undefined takes its default. The result is frozen and shares nothing with what was given.
 *
 * @param owner - whose options these are, for messages: a strategy's name
 * @throws MultigradError `invalid-option` for an unknown name (the nearest one is suggested), a wrong type, NaN or a
 * value out of range
 *
 * @example
 * ```ts
 * import { type OptionSpecs, resolveOptions } from '@multigrad/core/strategy';
 *
 * const specs: OptionSpecs<{ readonly rate?: number }> = {
 *   rate: { kind: 'number', default: 0.9, minimum: 0, maximum: 1, description: 'Share kept a step, 0 to 1.' },
 * };
 * console.log(resolveOptions('decay', specs, {})); // { rate: 0.9 }
 * try {
 *   resolveOptions('decay', specs, { rate: 2 });
 * } catch (error) {
 *   console.log(String(error)); // … Option `rate` of `decay` should be a number from 0 to 1. Found 2.
 * }
 * ```
 */
export function resolveOptions<Options extends object>(
  owner: string,
  specs: OptionSpecs<Options>,
  given: Options | undefined,
): ResolvedOptions<Options> {
  const known: OptionSpecs = specs;
  const values: unknown = given ?? {};
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new MultigradError(
      'invalid-option',
      `The options of \`${owner}\` should be an object such as { ${Object.keys(known)[0] ?? 'name'}: … }. ` +
        `Found ${describeValue(values)}.`,
    );
  }
  for (const name of Object.keys(values)) assertKnownOption(owner, known, name);
  const resolved = Object.entries(known).map(([name, spec]): [string, OptionValue] => {
    const value: unknown = Reflect.get(values, name);
    return [
      name,
      value === undefined ? optionDefault(spec) : checkOption(owner, name, spec, value),
    ];
  });
  return Object.freeze(Object.fromEntries(resolved)) as ResolvedOptions<Options>;
}

/** The value that an option has when nobody gives one. */
export function optionDefault(spec: OptionSpec): OptionValue {
  return spec.kind === 'weights' || spec.kind === 'objective' ? null : spec.default;
}

/**
 * Describes in words the values that an option takes: "a number >= 1, or null (off)".
 *
 * @example
 * ```ts
 * import { describeOption } from '@multigrad/core/support';
 *
 * console.log(describeOption({ kind: 'choice', choices: ['group', 'tensor'], default: 'group', description: '' }));
 * // "group" or "tensor"
 * ```
 */
export function describeOption(spec: OptionSpec): string {
  switch (spec.kind) {
    case 'number':
      return `${spec.integer === true ? 'an integer' : 'a number'}${describeRange(spec)}${spec.nullable === true ? ', or null (off)' : ''}`;
    case 'choice':
      return spec.choices.map((choice) => JSON.stringify(choice)).join(' or ');
    case 'boolean':
      return 'true or false';
    case 'objective':
      return 'the name of an objective, or null (off)';
    case 'weights':
      return `an object of objective names and ${describeWeight(spec, 'finite weights')}, or null (all one)`;
  }
}

/** The weights, or one weight, that an option takes, in words: "a finite number >= 0". */
export function describeWeight({ positive }: WeightsOption, noun: string): string {
  return `${noun} ${positive === true ? '> 0' : '>= 0'}`;
}

function describeRange({ minimum, exclusiveMinimum, maximum }: NumberOption): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const bounds: string[] = [];
  if (minimum !== undefined) bounds.push(`>= ${minimum}`);
  if (exclusiveMinimum !== undefined) bounds.push(`> ${exclusiveMinimum}`);
  if (maximum !== undefined) bounds.push(`<= ${maximum}`);
  return bounds.length === 0 ? '' : ` ${bounds.join(' and ')}`;
}

/**
 * The value of one option, checked; weights are copied.
 *
 * @throws MultigradError `invalid-option` with the value found and what was expected
 */
export function checkOption(
  owner: string,
  name: string,
  spec: OptionSpec,
  value: unknown,
): OptionValue {
  switch (spec.kind) {
    case 'number':
      if (value === null && spec.nullable === true) return value;
      if (typeof value === 'number' && isInRange(spec, value)) return value;
      break;
    case 'choice':
      if (typeof value === 'string' && spec.choices.includes(value)) return value;
      break;
    case 'boolean':
      if (typeof value === 'boolean') return value;
      break;
    case 'objective':
      if (value === null || (typeof value === 'string' && value !== '')) return value;
      break;
    case 'weights':
      if (value === null) return value;
      if (typeof value === 'object' && !Array.isArray(value) && !ArrayBuffer.isView(value)) {
        return checkWeights(owner, name, spec, value);
      }
      break;
  }
  const near =
    spec.kind === 'choice' && typeof value === 'string' ? didYouMean(value, spec.choices) : '';
  throw invalid(owner, name, describeOption(spec), value, near);
}

function isInRange(
  { minimum, exclusiveMinimum, maximum, integer }: NumberOption,
  value: number,
): boolean {
  return (
    Number.isFinite(value) &&
    (integer !== true || Number.isSafeInteger(value)) &&
    (minimum === undefined || value >= minimum) &&
    (exclusiveMinimum === undefined || value > exclusiveMinimum) &&
    (maximum === undefined || value <= maximum)
  );
}

function checkWeights(
  owner: string,
  name: string,
  spec: WeightsOption,
  value: object,
): ObjectiveWeights {
  const weights = Object.entries(value).map(([objective, weight]: [string, unknown]) => {
    const inRange =
      typeof weight === 'number' &&
      Number.isFinite(weight) &&
      (spec.positive === true ? weight > 0 : weight >= 0);
    if (!inRange) {
      throw invalid(owner, `${name}.${objective}`, describeWeight(spec, 'a finite number'), weight);
    }
    return [objective, weight] as const;
  });
  return Object.freeze(Object.fromEntries(weights));
}

function invalid(
  owner: string,
  name: string,
  expected: string,
  value: unknown,
  hint = '',
): MultigradError {
  return new MultigradError(
    'invalid-option',
    `Option \`${name}\` of \`${owner}\` should be ${expected}. Found ${describeValue(value)}.${hint}`,
  );
}
