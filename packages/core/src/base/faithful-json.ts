import { MultigradError } from './errors.ts';
import type { Json } from './json.ts';

/** The key under which a number that JSON has not is written by its name. */
const numberKey = '$number';

/**
 * A value as JSON that gives it back unchanged: what JSON holds as it is, and NaN, the infinities and −0 as
 * `{ "$number": "NaN" }`. What neither can hold is refused, where `JSON.stringify` would change it without a word.
 *
 * @param path - what messages call the value
 * @throws MultigradError `invalid-argument` with the path of what cannot be held: a function, undefined, a bigint, a symbol,
 *   an array of numbers of one type, a Map, an instance of a class, a value that holds itself
 */
export function toFaithfulJson(value: unknown, path: string): Json {
  return encode(value, path, new Set());
}

/** What `toFaithfulJson` was given. */
export function fromFaithfulJson(json: Json): Json {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return (json as readonly Json[]).map(fromFaithfulJson);
  const entries = Object.entries(json);
  const [first] = entries;
  if (entries.length === 1 && first![0] === numberKey && typeof first![1] === 'string') {
    return Number(first![1]);
  }
  return Object.fromEntries(
    entries.map(([key, child]) => [
      key.startsWith('$$') ? key.slice(1) : key,
      fromFaithfulJson(child),
    ]),
  );
}

function encode(value: unknown, path: string, outer: ReadonlySet<object>): Json {
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value;
    case 'number':
      if (Number.isFinite(value) && !Object.is(value, -0)) return value;
      return { [numberKey]: Object.is(value, -0) ? '-0' : String(value) };
    case 'object':
      return value === null ? null : encodeObject(value, path, outer);
    default:
      return refuse(path, typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`);
  }
}

function encodeObject(value: object, path: string, outer: ReadonlySet<object>): Json {
  if (outer.has(value)) refuse(path, 'an object that holds itself');
  const within = new Set(outer).add(value);
  if (Array.isArray(value)) {
    // Array.from also visits the holes of an array, which JSON would fill with null.
    return Array.from(value, (child: unknown, index) => encode(child, `${path}[${index}]`, within));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) refuse(path, nameOfClass(value));
  if (Object.getOwnPropertySymbols(value).length > 0)
    refuse(path, 'an object with a symbol as key');
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([key, child]) => [
      // Keys that begin like that of a number get one more sign.
      key.startsWith('$') ? `$${key}` : key,
      encode(child, `${path}.${key}`, within),
    ]),
  );
}

function nameOfClass(value: object): string {
  const { constructor } = value as { readonly constructor?: unknown };
  const name = typeof constructor === 'function' ? constructor.name : '';
  return name === '' ? 'an object with a prototype of its own' : `an instance of ${name}`;
}

function refuse(path: string, found: string): never {
  throw new MultigradError(
    'invalid-argument',
    `\`${path}\` should be what a checkpoint can hold: null, booleans, numbers, texts, arrays and plain objects of them. Found ${found}.`,
  );
}
