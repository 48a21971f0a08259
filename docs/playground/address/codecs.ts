import { offeredStrategies } from '../plane/strategies.ts';
import type { Vector } from '../plane/vectors.ts';

/** How a value is written into an address and read from it; `read` returns null for a text that is no such value. */
export interface Codec<Value> {
  readonly write: (value: Value) => string;
  readonly read: (text: string) => Value | null;
}

/** One of several names. */
export const oneOf = <Name extends string>(names: readonly Name[]): Codec<Name> => ({
  write: String,
  read: (text) => names.find((name) => name === text) ?? null,
});

/** A number, as JavaScript writes it, of which `allowed` is true. */
export const number = (allowed: (value: number) => boolean): Codec<number> => ({
  write: String,
  read: (text) => {
    const value = text === '' ? Number.NaN : Number(text);
    return Number.isFinite(value) && allowed(value) ? value : null;
  },
});

/** An integer from `least` to `most`. */
export const integer = (least: number, most: number): Codec<number> =>
  number((value) => Number.isInteger(value) && value >= least && value <= most);

const isOffered = (id: string): boolean => offeredStrategies.some((one) => one.id === id);

/** Ids of offered strategies with commas between them, none twice; there may be none. */
export const strategyIds: Codec<readonly string[]> = {
  write: (ids) => ids.join(','),
  read: (text) => {
    const ids = text === '' ? [] : text.split(',');
    return ids.every(isOffered) && new Set(ids).size === ids.length ? ids : null;
  },
};

/** Two offered strategies. */
export const strategyPair: Codec<readonly [string, string]> = {
  write: (ids) => ids.join(','),
  read: (text) => {
    const [first, second, ...rest] = strategyIds.read(text) ?? [];
    return first === undefined || second === undefined || rest.length > 0 ? null : [first, second];
  },
};

/**
 * Points of the plane, `x,y;x,y`.
 *
 * @param part - a coordinate as it is kept, or null where it is out of bounds
 */
export const points = (
  least: number,
  most: number,
  part: (value: number) => number | null,
): Codec<readonly Vector[]> => ({
  write: (all) => all.map((point) => point.join(',')).join(';'),
  read: (text) => {
    const rows = text === '' ? [] : text.split(';').map((row) => row.split(','));
    if (rows.length < least || rows.length > most) return null;
    const parts = rows.map((row) =>
      row.map((word) => {
        const value = word.trim() === '' ? Number.NaN : Number(word);
        return Number.isFinite(value) ? part(value) : null;
      }),
    );
    const all: Vector[] = [];
    for (const [x, y, ...more] of parts) {
      if (typeof x !== 'number' || typeof y !== 'number' || more.length > 0) return null;
      all.push([x, y]);
    }
    return all;
  },
});
