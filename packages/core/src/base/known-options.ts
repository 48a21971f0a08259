import { MultigradError } from './errors.ts';
import { didYouMean, listNames } from './nearest-name.ts';

/** The names of all options of a type, checked by the compiler: none may be missing. */
export type OptionNames<Options extends object> = Readonly<Record<keyof Options, true>>;

/**
 * Refuses options that do not exist, which plain JavaScript would ignore.
 *
 * @param owner - the function that has the options, such as `fit`, for messages
 * @throws MultigradError `invalid-option` with the nearest name
 */
export function checkKnownOptions<Options extends object>(
  owner: string,
  options: Options,
  known: OptionNames<Options>,
): void {
  for (const name of Object.keys(options)) assertKnownOption(owner, known, name);
}

/** Checks that an option exists. @throws MultigradError `invalid-option` unless `known` has `name` */
export function assertKnownOption(owner: string, known: object, name: string): void {
  if (Object.hasOwn(known, name)) return;
  const names = Object.keys(known);
  throw new MultigradError(
    'invalid-option',
    `\`${owner}\` has no option \`${name}\`.${didYouMean(name, names)} Its options: ${listNames(names)}.`,
  );
}
