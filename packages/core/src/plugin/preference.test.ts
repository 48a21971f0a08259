import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { preferencesOf, rayOf } from './preference.ts';

describe('the ray of a preference', () => {
  it('has length 1 and the direction of the preferences, 1 where none is named', () => {
    const preference = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.option(preference), { minLength: 1, maxLength: 6 }), (given) => {
        const objectives = given.map((_, k) => `objective-${k}`);
        const named = Object.fromEntries(
          given.flatMap((value, k) => (value === null ? [] : [[`objective-${k}`, value]])),
        );
        const ray = rayOf(objectives, named);
        expect(Math.hypot(...ray)).toBeCloseTo(1, 12);
        const preferred = preferencesOf(objectives, named, 1);
        ray.forEach((value, k) =>
          expect(value / ray[0]!).toBeCloseTo(preferred[k]! / preferred[0]!, 9),
        );
      }),
    );
    expect([...rayOf(['a', 'b', 'c', 'd'], null)]).toEqual([0.5, 0.5, 0.5, 0.5]);
  });

  it('takes an objective that is called like what every object has for one without a preference', () => {
    const [first, second] = rayOf(['constructor', 'a'], { a: 1 });
    expect(first).toBe(second);
  });
});
