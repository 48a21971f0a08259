import { MultigradError, own } from '@multigrad/core/strategy';

/** The entry of a record that has to be there. @throws MultigradError `invalid-argument` */
export function entry<T>(record: Readonly<Record<string, T>>, name: string): T {
  const found = own(record, name);
  if (found !== undefined) return found;
  throw new MultigradError(
    'invalid-argument',
    `There should be an entry \`${name}\`. Found ${Object.keys(record).join(', ')}.`,
  );
}

/** A record of a value for each name. */
export function record<T>(
  names: readonly string[],
  valueOf: (name: string, place: number) => T,
): Record<string, T> {
  return Object.fromEntries(names.map((name, place) => [name, valueOf(name, place)]));
}
