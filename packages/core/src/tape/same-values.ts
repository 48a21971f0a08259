import { own } from '../base/own.ts';

/** Whether two values are the same: numbers, words, and arrays and plain objects of them; other objects by identity. */
export function sameValues(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && sameItems(a, b);
  if (ArrayBuffer.isView(a)) return ArrayBuffer.isView(b) && sameNumbers(a, b);
  if (!isPlain(a) || !isPlain(b)) return false;
  const [left, right] = [a, b];
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every(
      (name) => Object.hasOwn(right, name) && sameValues(own(left, name), own(right, name)),
    )
  );
}

/** Whether two lists have the same items in the same order. */
export function sameItems(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (!sameValues(a[i], b[i])) return false;
  return true;
}

function sameNumbers(a: ArrayBufferView, b: ArrayBufferView): boolean {
  return (
    a.constructor === b.constructor &&
    'length' in a &&
    'length' in b &&
    sameItems(a as unknown as ArrayLike<unknown>, b as unknown as ArrayLike<unknown>)
  );
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** A copy of arrays and plain objects, however deep; other values as they are. */
export function copyOf<T>(value: T): T {
  return copied(value) as T;
}

function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copied);
  if (ArrayBuffer.isView(value) && 'slice' in value)
    return (value as unknown as Float32Array).slice();
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, copied(one)]));
}
