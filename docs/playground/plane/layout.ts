import type { Vector } from './vectors.ts';

// Where things stand in the picture, in its own units: `size` from edge to edge, y downwards.

/** Width and height of the picture. */
export const size = 480;

const extents = [1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48];

/** How far the axes reach so that all arrows have room: one of few values, so that the picture seldom jumps. */
export function extentFor(arrows: readonly Vector[]): number {
  const reach = Math.max(...arrows.flat().map(Math.abs)) * 1.08;
  return extents.find((extent) => extent >= reach) ?? reach;
}

/** The place of a vector in the picture. */
export const toPicture = ([x, y]: Vector, extent: number): Vector => [
  (size / 2) * (1 + x / extent),
  (size / 2) * (1 - y / extent),
];

/** The vector at a place of the picture. */
export const fromPicture = ([x, y]: Vector, extent: number): Vector => [
  ((2 * x) / size - 1) * extent,
  (1 - (2 * y) / size) * extent,
];

/** Distance of grid lines: 1, 2 or 5 times a power of ten, some four to each side. */
export function gridStep(extent: number): number {
  const rough = extent / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = rough / power;
  return power * (factor < 1.5 ? 1 : factor < 3.5 ? 2 : 5);
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

const letter = 7.6;
const line = 15;

/**
 * Places names at arrow heads so that they neither cover each other nor leave the picture: the middle of each name. The
 * first ones get the best places.
 */
export function placeLabels(
  labels: readonly { readonly text: string; readonly head: Vector }[],
): Vector[] {
  const placed: Box[] = [];
  return labels.map(({ text, head }) => {
    const width = text.length * letter;
    const outwards = Math.atan2(head[1] - size / 2, head[0] - size / 2);
    const candidates = [14, 26, 38, 52, 68].flatMap((distance) =>
      [0, 0.6, -0.6, 1.2, -1.2, 1.8, -1.8, 2.6, -2.6].map((turn): Box => {
        const along = outwards + turn;
        const x = head[0] + Math.cos(along) * (distance + width / 2 - 6);
        const y = head[1] + Math.sin(along) * distance;
        return {
          x: Math.max(width / 2 + 2, Math.min(size - width / 2 - 2, x)),
          y: Math.max(line / 2 + 2, Math.min(size - line / 2 - 2, y)),
          width,
        };
      }),
    );
    const free = candidates.find((box) => placed.every((other) => !overlap(box, other)));
    const box = free ?? candidates[0]!;
    placed.push(box);
    return [box.x, box.y];
  });
}

const overlap = (a: Box, b: Box): boolean =>
  Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < line;
