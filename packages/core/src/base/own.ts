/**
 * What a plain record holds of its own under a name; undefined where that is nothing.
 *
 * `record[name]` would find what every object inherits where the name comes from outside: an objective may be called
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
