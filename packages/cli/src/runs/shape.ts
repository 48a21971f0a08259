import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';

/** Where a value is not what it should be. */
export interface Mismatch {
  /** Its place, as `groups[0].norms[1]`; empty for the whole. */
  readonly at: string;
  readonly expected: string;
  readonly found: unknown;
}

/** Checks what a value from a file should be; returns the first place where it is something else, or null. */
export type Shape = (value: unknown, at?: string) => Mismatch | null;

/** The shape of a single value. */
export function shape(expected: string, holds: (value: unknown) => boolean): Shape {
  return (value, at = '') => (holds(value) ? null : { at, expected, found: value });
}

/** Any text. */
export const text: Shape = shape('a text', (value) => typeof value === 'string');
/** True or false. */
export const flag: Shape = shape('true or false', (value) => typeof value === 'boolean');
/** A finite number: JSON's `1e999` is read as infinity, and refused. */
export const finite: Shape = shape('a finite number', Number.isFinite);
/** An integer >= 0. */
export const count: Shape = shape(
  'an integer >= 0',
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
);

/** What `inner` accepts, or null. */
export function orNull(inner: Shape): Shape {
  return (value, at) => {
    const wrong = value === null ? null : inner(value, at);
    const here = wrong !== null && wrong.at === (at ?? '');
    return here ? { ...wrong, expected: `${wrong.expected}, or null` } : wrong;
  };
}

/** A measured number, or null: JSON has no NaN and no infinity, and writes null for them. */
export const measured: Shape = orNull(finite);

/** One of these words. */
export function oneOf(words: readonly string[]): Shape {
  return shape(`one of ${words.join(', ')}`, (value) => words.includes(value as string));
}

function firstOf(mismatches: Iterable<Mismatch | null>): Mismatch | null {
  for (const mismatch of mismatches) if (mismatch !== null) return mismatch;
  return null;
}

/** @param length - how many values there should be; left out: any number */
export function list(inner: Shape, length?: number): Shape {
  return (value, at = '') => {
    if (!Array.isArray(value) || (length !== undefined && value.length !== length)) {
      const expected = length === undefined ? 'an array' : `an array of length ${length}`;
      return { at, expected, found: value };
    }
    const wrong = value.findIndex((one) => inner(one) !== null);
    return wrong < 0 ? null : inner(value[wrong], `${at}[${wrong}]`);
  };
}

/** Two values of different kinds. */
export function pair(first: Shape, second: Shape): Shape {
  return (value, at = '') => {
    if (!Array.isArray(value) || value.length !== 2) {
      return { at, expected: 'an array of length 2', found: value };
    }
    return first(value[0], `${at}[0]`) ?? second(value[1], `${at}[1]`);
  };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function within(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`;
}

/** An object with any names, whose values have one shape. */
export function byName(inner: Shape): Shape {
  return (value, at = '') => {
    if (!isObject(value)) return { at, expected: 'an object', found: value };
    const wrong = Object.entries(value).find(([, one]) => inner(one) !== null);
    return wrong === undefined ? null : inner(wrong[1], within(at, wrong[0]));
  };
}

/** An object with these fields. Further fields are allowed: later versions may write them. */
export function fields(
  required: Readonly<Record<string, Shape>>,
  optional: Readonly<Record<string, Shape>> = {},
): Shape {
  return (value, at = '') => {
    if (!isObject(value)) return { at, expected: 'an object', found: value };
    const given = new Map<string, unknown>(Object.entries(value));
    return firstOf([
      ...Object.entries(required).map(([name, inner]) => inner(given.get(name), within(at, name))),
      ...Object.entries(optional).map(([name, inner]) =>
        given.has(name) ? inner(given.get(name), within(at, name)) : null,
      ),
    ]);
  };
}

/** A shape, then a second one that is made from the value where the first one holds. */
export function dependent(inner: Shape, next: (value: never) => Shape): Shape {
  return (value, at) => inner(value, at) ?? next(value as never)(value, at);
}

/** @throws MultigradError `invalid-data` naming the first place that is not what it should be */
export function assertShape(value: unknown, expected: Shape, where: string): void {
  const wrong = expected(value);
  if (wrong === null) return;
  const subject = wrong.at === '' ? 'be' : `hold \`${shortened(wrong.at)}\`,`;
  throw new MultigradError(
    'invalid-data',
    `${where} should ${subject} ${wrong.expected}. Found ${describeValue(wrong.found)}.`,
  );
}

/** The name of a place, cut where it is long: a file may choose any names. */
function shortened(at: string): string {
  return at.length <= 120 ? at : `${at.slice(0, 119)}…`;
}
