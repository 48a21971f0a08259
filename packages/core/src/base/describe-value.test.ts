import { expect, it } from 'vitest';
import { describeValue } from './describe-value.ts';

it.each([
  ['a "word"', '"a \\"word\\""'],
  ['x'.repeat(100), `"${'x'.repeat(59)}…"`],
  [NaN, 'NaN'],
  [-0, '-0'],
  [1.5, '1.5'],
  [12n, '12n'],
  [true, 'true'],
  [undefined, 'undefined'],
  [null, 'null'],
  [Symbol('s'), 'Symbol(s)'],
  [() => 1, 'a function'],
  [[1, 2], 'an array of length 2'],
  [new Float64Array(2), 'a Float64Array'],
  [new Map(), 'a Map'],
  [{}, 'an empty object'],
  [Object.create(null), 'an empty object'],
  [Object.create(Object.create(null) as object), 'an empty object'],
  [{ a: 1, b: 2 }, 'an object with the keys `a`, `b`'],
  [{ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 }, 'an object with the keys `a`, `b`, `c`, `d`, `e`, …'],
])('%# describes a value in words', (value: unknown, expected: string) => {
  expect(describeValue(value)).toBe(expected);
});
