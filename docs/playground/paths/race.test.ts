import { describe, expect, it } from 'vitest';
import { strategiesNamed } from '../plane/strategies.ts';
import type { Vector } from '../plane/vectors.ts';
import { advance, arrivals, lineUp } from './race.ts';
import type { Rule } from './rules.ts';
import { distanceToParetoSet } from './two-valleys.ts';

const rule: Rule = { kind: 'adam', rate: 0.05 };
const starts: Vector[] = [
  [-8.5, 7.5],
  [10, -8],
];
const begin = (): ReturnType<typeof lineUp> =>
  lineUp(strategiesNamed(['mgda', 'nash-mtl']), starts);

describe('a race', () => {
  it('goes the same way in one stretch and in several', () => {
    const once = advance(begin(), rule, 120);
    const often = [50, 0, 1, 69].reduce((lanes, steps) => advance(lanes, rule, steps), begin());
    const look = (lanes: typeof once): unknown =>
      lanes.map(({ paths }) => paths.map(({ descent, trail }) => [descent, trail]));
    expect(look(often)).toEqual(look(once));
  });

  it('draws trails from the start to within a hair of the point', () => {
    for (const { paths } of advance(begin(), rule, 200)) {
      paths.forEach(({ descent, trail }, k) => {
        expect(descent.steps).toBe(200);
        expect(trail[0]).toEqual(starts[k]);
        const [x, y] = trail.at(-1)!;
        expect(Math.hypot(descent.point[0] - x, descent.point[1] - y)).toBeLessThan(0.04);
      });
    }
  });

  it('counts who has arrived', () => {
    expect(begin().map(arrivals)).toEqual([0, 0]);
    const [mgda] = advance(begin(), rule, 1500);
    expect(mgda!.paths.map(({ descent }) => distanceToParetoSet(descent.point) < 0.5)).toEqual([
      true,
      true,
    ]);
    expect(arrivals(mgda!)).toBe(2);
  });
});
