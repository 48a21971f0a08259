/**
 * What `JSON.stringify` followed by `JSON.parse` returns unchanged: the shape of every strategy's state, so that a
 * checkpoint can hold it.
 *
 * @remarks
 * Numbers must be finite: JSON has no NaN and no infinity.
 */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
