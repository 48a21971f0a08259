import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { offeredStrategies } from './strategies.ts';
import { coordinate, firstView, limit, viewHash, viewOfHash } from './view.ts';

const gradient = fc
  .tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true }))
  .map(([x, y]): [number, number] => [coordinate(x), coordinate(y)]);
const view = fc.record({
  gradients: fc.array(gradient, { minLength: 2, maxLength: 3 }),
  shown: fc.subarray(offeredStrategies.map(({ id }) => id)),
});

describe('the address of a view', () => {
  it('shows the view again', () => {
    fc.assert(
      fc.property(view, (shown) => {
        expect(viewOfHash(`#${viewHash(shown)}`)).toEqual(shown);
        expect(viewOfHash(viewHash(shown))).toEqual(shown);
      }),
    );
  });

  it('is short and can be read', () => {
    expect(viewHash(firstView)).toBe('g=0.8,0.3;-2,1.6&show=sum,mmpareto,pcgrad,mgda');
  });

  it('keeps coordinates within their limits, in hundredths', () => {
    expect(viewOfHash('#g=1e9,-1e9;0.123,-0.001')?.gradients).toEqual([
      [limit, -limit],
      [0.12, 0],
    ]);
  });

  it.each(['', '#paths', '#g=1,2', '#g=1,2;3', '#g=1,2;3,x', '#g=1,;3,4', '#g=1,2;3,4;5,6;7,8'])(
    'is not %j',
    (hash) => expect(viewOfHash(hash)).toBeNull(),
  );

  it('is not one that names an unknown strategy', () => {
    expect(viewOfHash('#g=1,2;3,4&show=sum')?.shown).toEqual(['sum']);
    expect(viewOfHash('#g=1,2;3,4&show=sum,unknown')).toBeNull();
  });
});
