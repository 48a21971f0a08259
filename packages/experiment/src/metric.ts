/** What is measured beside losses, as tables and charts show it. */
export interface Metric {
  /** As a heading writes it. @defaultValue the metric's name */
  readonly title?: string;
  /** Which values are better: `higher` for an accuracy, `lower` for an error. */
  readonly direction: 'higher' | 'lower';
  /** Unit of the values, such as `m`. With `%` the values are shares from 0 to 1, shown times 100. @defaultValue none */
  readonly unit?: string;
  /** The objectives that have this metric. @defaultValue all */
  readonly objectives?: readonly string[];
}

/**
 * The share of right answers, from 0 to 1, as `metrics.accuracy` of the networks of `@multigrad/models`.
 *
 * @example
 * ```ts
 * import { accuracy } from '@multigrad/experiment';
 *
 * console.log(accuracy); // { title: 'accuracy', direction: 'higher', unit: '%' }
 * ```
 */
export const accuracy: Metric = Object.freeze({
  title: 'accuracy',
  direction: 'higher',
  unit: '%',
});
