import { describe, expect, it } from 'vitest';
import { fromPicture, meanLossAreas, reach, size, toPicture } from './contours.ts';
import { lossesAt } from './two-valleys.ts';

describe('the picture of the valleys', () => {
  it('finds points where they are drawn', () => {
    expect(toPicture([0, 0])).toEqual([size / 2, size / 2]);
    expect(toPicture([reach, reach])).toEqual([size, 0]);
    const [x, y] = fromPicture(toPicture([3.25, -7.5]));
    expect(x).toBeCloseTo(3.25, 12);
    expect(y).toBeCloseTo(-7.5, 12);
  });

  it('draws contours where the mean loss has their level', () => {
    let looked = 0;
    for (const { level, path } of meanLossAreas()) {
      expect(path).not.toBe('');
      // The steep valleys are narrower than the samples; below y = 0 the surface is smooth.
      if (level > -2) continue;
      for (const [, x, y] of path.matchAll(/[ML]([\d.]+),([\d.]+)/g)) {
        const place = [Number(x), Number(y)] as const;
        const point = fromPicture(place);
        const border = place.some((part) => part < 2 || part > size - 2);
        if (border || point[1] > -0.5) continue;
        looked += 1;
        const [first, second] = lossesAt(point);
        expect(Math.abs((first + second) / 2 - level)).toBeLessThan(0.3);
      }
    }
    expect(looked).toBeGreaterThan(200);
  });
});
