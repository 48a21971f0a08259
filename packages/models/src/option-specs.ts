import { MultigradError, type NumberOption, type OptionsOf, own } from '@multigrad/core/strategy';

/** A count: an integer >= `minimum`. */
export function countOption(
  description: string,
  fallback: number,
  minimum = 1,
): NumberOption<number> & { readonly nullable?: false } {
  return {
    kind: 'number',
    default: fallback,
    minimum,
    integer: true,
    description: `${description}, an integer >= ${minimum}.`,
  };
}

/** Descriptions of the options of everything that has weights. */
export const weightOptions = {
  /** Seed of the initial weights, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of the initial weights, an integer >= 0.',
  },
  /** Distribution of the initial weights, see `Initialisation`. @defaultValue 'pytorch' */
  initialisation: {
    kind: 'choice',
    default: 'pytorch',
    choices: ['pytorch', 'he'],
    description: "Distribution of the initial weights: PyTorch's defaults, or He's normal one.",
  },
} as const;

/** Options of everything that has weights. */
export interface WeightOptions extends OptionsOf<typeof weightOptions> {}

/**
 * Checks that the options without a sensible default are there, for callers without a type checker.
 *
 * @throws MultigradError `invalid-option`
 */
export function assertPresent<Options extends object>(
  owner: string,
  options: Options,
  names: readonly (keyof Options & string)[],
): void {
  for (const name of names) {
    if (own(options as Readonly<Record<string, unknown>>, name) !== undefined) continue;
    throw new MultigradError(
      'invalid-option',
      `Option \`${name}\` of \`${owner}\` is required. Found undefined.`,
    );
  }
}

/**
 * Checks that an option divides another.
 *
 * @throws MultigradError `invalid-option`
 */
export function assertDivides(
  owner: string,
  option: string,
  divisor: number,
  other: string,
  value: number,
): void {
  if (value % divisor === 0) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`${option}\` of \`${owner}\` should divide \`${other}\`, ${value}. Found ${divisor}.`,
  );
}

/** A record without some of its keys. */
export function without<T extends object, Key extends keyof T>(
  given: T,
  ...names: Key[]
): Omit<T, Key> {
  const kept = Object.entries(given).filter(([name]) => !names.includes(name as Key));
  return Object.fromEntries(kept) as Omit<T, Key>;
}
