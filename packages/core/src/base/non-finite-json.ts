import type { Json } from './json.ts';

/** Converts a number to JSON: NaN and the infinities, which JSON lacks, become their names. */
export function numberToJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** Converts what `numberToJson` wrote back to a number. */
export function numberFromJson(value: Json | undefined): number {
  return Number(value);
}
