import { describeValue } from '../base/describe-value.ts';
import { type ErrorCode, MultigradError } from '../base/errors.ts';
import { didYouMean, listNames } from '../base/nearest-name.ts';
import type { NumberOption, OptionSpec, OptionSpecs, WeightsOption } from './options.ts';
import { checkOption, optionDefault } from './options-resolve.ts';

const optionName = /^[A-Za-z]\w*$/;

/** The keys that a description of each kind may have. */
const keys: {
  readonly [Kind in OptionSpec['kind']]: Readonly<
    Record<keyof Extract<OptionSpec, { kind: Kind }>, true>
  >;
} = {
  number: {
    kind: true,
    description: true,
    default: true,
    minimum: true,
    exclusiveMinimum: true,
    maximum: true,
    integer: true,
    nullable: true,
  },
  choice: { kind: true, description: true, default: true, choices: true },
  boolean: { kind: true, description: true, default: true },
  objective: { kind: true, description: true },
  weights: { kind: true, description: true, positive: true, preference: true },
};
const kinds = Object.keys(keys);

/** Where options are described, for messages. */
interface Place {
  /** Who describes them, such as "Plugin `x`". */
  readonly owner: string;
  /** The field with the descriptions. */
  readonly field: string;
  /** The code of errors. */
  readonly code: ErrorCode;
}

/**
 * Checks that a value, perhaps from somebody else's package, describes options as this version understands them.
 *
 * @param owner - who describes its options, for messages: "Plugin `x`"
 * @throws MultigradError `incompatible-strategy` that names the option and what is wrong with its description
 */
export function assertOptionSpecs(owner: string, value: unknown): asserts value is OptionSpecs {
  const place: Place = { owner, field: 'options', code: 'incompatible-strategy' };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail(place, `\`options\` should be an object of option descriptions`, value);
  }
  for (const [name, spec] of Object.entries(value) as [string, unknown][]) {
    if (!optionName.test(name)) {
      fail(place, `an option's name should be a letter followed by letters, digits or _`, name);
    }
    assertOptionSpec(place, name, spec);
  }
}

/**
 * Checks the description of one option.
 *
 * @throws MultigradError of the place's code, naming the option and what is wrong with its description
 */
export function assertOptionSpec(place: Place, name: string, value: unknown): void {
  const where = `\`${place.field}.${name}`;
  if (typeof value !== 'object' || value === null) {
    fail(place, `${where}\` should be an object with a kind and a description`, value);
  }
  const { kind, description }: { kind?: unknown; description?: unknown } = value;
  if (!kinds.some((known) => known === kind)) {
    fail(place, `${where}.kind\` should be one of ${listNames(kinds)}`, kind);
  }
  if (typeof description !== 'string' || description.trim() === '') {
    fail(
      place,
      `${where}.description\` should be a sentence with the unit and the range`,
      description,
    );
  }
  // The kind is known: what is left is that kind's own fields.
  const spec = value as OptionSpec;
  assertKnownKeys(place, where, spec);
  if (spec.kind === 'number') assertNumberBounds(place, where, spec);
  if (spec.kind === 'choice') assertChoices(place, where, spec.choices);
  if (spec.kind === 'weights') assertWeights(place, where, spec);
  try {
    checkOption(place.owner, name, spec, optionDefault(spec));
  } catch (cause) {
    throw new MultigradError(
      place.code,
      `${place.owner}: ${where}.default\` is not a value that the option allows. ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** An unknown key is a limit that nobody would check: `min` in place of `minimum`. */
function assertKnownKeys(place: Place, where: string, spec: OptionSpec): void {
  const known = Object.keys(keys[spec.kind]);
  const unknown = Object.keys(spec).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  // `min` is too short to be near `minimum` by its letters alone.
  const longer = known.filter((key) => key.startsWith(unknown));
  const near = longer.length === 1 ? didYouMean(longer[0]!, longer) : didYouMean(unknown, known);
  throw new MultigradError(
    place.code,
    `${place.owner}: ${where}\` has a key \`${unknown}\`, which a ${spec.kind} option does not have.${near} ` +
      `Its keys: ${listNames(known)}.`,
  );
}

function assertNumberBounds(place: Place, where: string, spec: NumberOption): void {
  for (const bound of ['minimum', 'exclusiveMinimum', 'maximum'] as const) {
    const value: unknown = spec[bound];
    if (value !== undefined && (typeof value !== 'number' || !Number.isFinite(value))) {
      fail(place, `${where}.${bound}\` should be a finite number or absent`, value);
    }
  }
  for (const flag of ['integer', 'nullable'] as const) {
    const value: unknown = spec[flag];
    if (value !== undefined && typeof value !== 'boolean') {
      fail(place, `${where}.${flag}\` should be true, false or absent`, value);
    }
  }
  if (spec.minimum !== undefined && spec.exclusiveMinimum !== undefined) {
    fail(place, `${where}\` should have \`minimum\` or \`exclusiveMinimum\``, 'both');
  }
}

function assertChoices(place: Place, where: string, choices: unknown): void {
  if (
    !Array.isArray(choices) ||
    choices.length === 0 ||
    choices.some((choice) => typeof choice !== 'string' || choice === '') ||
    new Set(choices).size < choices.length
  ) {
    fail(place, `${where}.choices\` should be an array of different texts`, choices);
  }
}

function assertWeights(place: Place, where: string, spec: WeightsOption): void {
  const { positive, preference }: { positive?: unknown; preference?: unknown } = spec;
  if (positive !== undefined && typeof positive !== 'boolean') {
    fail(place, `${where}.positive\` should be true, false or absent`, positive);
  }
  if (preference !== undefined && preference !== 'counts' && preference !== 'ray') {
    fail(place, `${where}.preference\` should be "counts", "ray" or absent`, preference);
  }
}

function fail(place: Place, expectation: string, found: unknown): never {
  throw new MultigradError(
    place.code,
    `${place.owner}: ${expectation}. Found ${describeValue(found)}.`,
  );
}
