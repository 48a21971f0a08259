import type { Json } from './json.ts';

/** A number as JSON holds it: NaN and the infinities, which JSON has not, by name. */
export function numberToJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** What `numberToJson` wrote. */
export function numberFromJson(value: Json | undefined): number {
  return Number(value);
}
