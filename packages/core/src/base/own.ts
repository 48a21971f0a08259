/**
 * Reads a plain record under a name, and returns undefined where the record itself has no such entry.
 *
 * `record[name]` would also find what every object inherits, which is wrong for names from outside: an objective may be called
 * `constructor`.
 *
 * @example
 * ```ts
 * import { own } from '@multigrad/core/strategy';
 *
 * const weights: Record<string, number> = { depth: 2 };
 * console.log(own(weights, 'depth'), own(weights, 'toString')); // 2 undefined
 * ```
 */
export function own<T>(record: Readonly<Partial<Record<string, T>>>, name: string): T | undefined {
  // eslint-disable-next-line multigrad/no-foreign-keys -- the one place that looks before it reads
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
