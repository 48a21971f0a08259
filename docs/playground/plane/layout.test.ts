import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extentFor, fromPicture, gridStep, placeLabels, size, toPicture } from './layout.ts';

const coordinate = fc.double({ min: -10, max: 10, noNaN: true });

describe('the layout of the plane', () => {
  it('finds the vector at the place where it is drawn', () => {
    fc.assert(
      fc.property(coordinate, coordinate, (x, y) => {
        const extent = extentFor([[x, y]]);
        const place = toPicture([x, y], extent);
        for (const part of place) expect(part >= 0 && part <= size).toBe(true);
        const [backX, backY] = fromPicture(place, extent);
        expect(backX).toBeCloseTo(x, 10);
        expect(backY).toBeCloseTo(y, 10);
      }),
    );
  });

  it('draws up to twelve grid lines to each side', () => {
    for (const extent of [1, 1.5, 2, 3, 4, 6, 8, 12, 100])
      expect(extent / gridStep(extent)).toSatisfy((count: number) => count >= 2 && count <= 12);
  });

  it('keeps names apart and in the picture, when heads meet', () => {
    const heads = [0, 1, 2, 3].map((k) => ({
      text: `name ${k}`,
      head: [size - 3 - k, 4] as const,
    }));
    const places = placeLabels(heads);
    places.forEach(([x, y], k) => {
      expect(x > 20 && x < size - 20 && y > 5 && y < size - 5).toBe(true);
      for (const [otherX, otherY] of places.slice(0, k))
        expect(Math.abs(otherX - x) > 45 || Math.abs(otherY - y) >= 15).toBe(true);
    });
  });
});
