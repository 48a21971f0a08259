import { contours } from 'd3-contour';
import type { Vector } from '../plane/vectors.ts';
import { lossesAt } from './two-valleys.ts';

/** Width and height of a picture of the valleys, which shows −reach to reach both ways. */
export const size = 300;
export const reach = 11;

/** The place of a point in the picture, y downwards. */
export const toPicture = ([x, y]: Vector): Vector => [
  (size / 2) * (1 + x / reach),
  (size / 2) * (1 - y / reach),
];

/** The point at a place of the picture. */
export const fromPicture = ([x, y]: Vector): Vector => [
  ((2 * x) / size - 1) * reach,
  (1 - (2 * y) / size) * reach,
];

/** Samples to each side of the picture. */
const samples = 150;

/** Levels of the mean loss, from the shared valley's bottom up. */
const levels = [-14, -12, -10, -8, -6, -4, -2, 0, 2, 4, 5, 6, 7];

/** The areas in which the mean of both losses is at least so much, from low to high, as paths of an SVG. */
export function meanLossAreas(): { readonly level: number; readonly path: string }[] {
  const cell = size / samples;
  const values = Array.from({ length: samples * samples }, (_, i) => {
    const place: Vector = [((i % samples) + 0.5) * cell, (Math.floor(i / samples) + 0.5) * cell];
    const [first, second] = lossesAt(fromPicture(place));
    return (first + second) / 2;
  });
  const areas = contours().size([samples, samples]).thresholds(levels)(values);
  return areas.map(({ value, coordinates }) => ({
    level: value,
    path: coordinates
      .flat()
      .map(
        (ring) =>
          `M${ring.map((corner) => corner.map((part) => (part * cell).toFixed(1))).join('L')}Z`,
      )
      .join(''),
  }));
}
