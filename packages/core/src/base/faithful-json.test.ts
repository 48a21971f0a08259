import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromFaithfulJson, toFaithfulJson } from './faithful-json.ts';
import type { Json } from './json.ts';

function throughText(value: unknown): Json {
  return fromFaithfulJson(JSON.parse(JSON.stringify(toFaithfulJson(value, 'state'))) as Json);
}

/** Whatever JSON holds, and the numbers that it does not hold; names of properties that objects inherit among the keys. */
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, NaN, Infinity, -Infinity, -0, '$number', ''),
    fc.double(),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value')),
    fc.dictionary(
      fc.oneof(
        fc.string(),
        fc.constantFrom(
          '__proto__',
          'constructor',
          'toString',
          '$number',
          '$$number',
          'length',
          '0',
        ),
      ),
      tie('value'),
      { noNullPrototype: true },
    ),
  ),
}));

describe('faithful JSON', () => {
  it('gives back what it was given, through text', () => {
    fc.assert(
      fc.property(values.value, (value) => {
        // A comparison that knows `__proto__` for a key, NaN and −0.
        expect(isDeepStrictEqual(throughText(value), value)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses what it cannot give back, and says where it is', () => {
    class Own {
      readonly best = 1;
    }
    const itself: Record<string, unknown> = {};
    itself['again'] = [itself];
    const refused: readonly (readonly [unknown, string, string])[] = [
      [{ best: undefined }, 'state.best', 'undefined'],
      [{ rows: [1, Float32Array.of(1)] }, 'state.rows[1]', 'an instance of Float32Array'],
      [{ seen: { by: new Map() } }, 'state.seen.by', 'an instance of Map'],
      [{ seen: new Set() }, 'state.seen', 'an instance of Set'],
      [new Date(0), 'state', 'an instance of Date'],
      [[new Own()], 'state[0]', 'an instance of Own'],
      [Object.create({ inherited: 1 }), 'state', 'an instance of Object'],
      [{ large: 10n }, 'state.large', 'a bigint'],
      [{ call: () => 1 }, 'state.call', 'a function'],
      [{ [Symbol('key')]: 1 }, 'state', 'an object with a symbol as key'],
      // A hole, which JSON would fill with null.
      [Object.assign(new Array<number>(3), { 0: 1, 2: 2 }), 'state[1]', 'undefined'],
      [itself, 'state.again[0]', 'an object that holds itself'],
    ];
    for (const [value, path, found] of refused) {
      expect(() => toFaithfulJson(value, 'state')).toThrow(
        `\`${path}\` should be what a checkpoint can hold: null, booleans, numbers, texts, arrays and plain objects of them. Found ${found}.`,
      );
    }
    // The same value twice is no circle.
    const shared = { a: 1 };
    expect(throughText([shared, shared])).toEqual([shared, shared]);
  });
});
