import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { type SceneObject, scenes } from './scenes.ts';

/** Whether a point lies in an object, from the definitions: a circle, or the half-planes of a polygon's edges. */
function inside({ label, row, column, size }: SceneObject, y: number, x: number): boolean {
  if (label === 1) return Math.hypot(y - row, x - column) <= size;
  const corners =
    label === 2
      ? [
          [-1, -1],
          [-1, 1],
          [1, 1],
          [1, -1],
        ]
      : [
          [-1, 0],
          [1, 1],
          [1, -1],
        ];
  const points = corners.map(([dy, dx]) => [row + dy! * size, column + dx! * size] as const);
  return points.every(([y0, x0], k) => {
    const [y1, x1] = points[(k + 1) % points.length]!;
    return (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) >= 0;
  });
}

/** Every surface at a point as depth by right, down in units, from its equation. */
function depthOf(object: SceneObject | null, side: number): (x: number, y: number) => number {
  if (object === null) return (_, y) => 8 - y;
  const unit = 4 / side;
  const { label, depth, slope } = object;
  const [x0, y0, radius] = [object.column, object.row, object.size].map((one) => one * unit);
  // The near half of (x − x0)² + (y − y0)² + (z − z0)² = R².
  if (label === 1) {
    return (x, y) => depth + radius! - Math.sqrt(radius! ** 2 - (x - x0!) ** 2 - (y - y0!) ** 2);
  }
  // A plane whose nearest corner has the given depth.
  const at = (x: number, y: number): number => slope[1] * (x - x0!) + slope[0] * (y - y0!);
  const corners = [-1, 1].flatMap((a) =>
    [-1, 1].map((b) => at(x0! + a * radius!, y0! + b * radius!)),
  );
  return (x, y) => depth + at(x, y) - Math.min(...corners);
}

/** The normal of a surface by differences of its depth. */
function normalOf(depth: (x: number, y: number) => number, x: number, y: number): number[] {
  const h = 1e-6;
  const right = (depth(x + h, y) - depth(x - h, y)) / (2 * h);
  const down = (depth(x, y + h) - depth(x, y - h)) / (2 * h);
  const length = Math.sqrt(right ** 2 + down ** 2 + 1);
  return [right / length, down / length, -1 / length];
}

describe('scenes', () => {
  it('have the class, the depth and the normal of what is nearest at every pixel', async () => {
    await expectConstantMemory(() => {
      const side = 24;
      const { train } = scenes({ trainSize: 20, side, seed: 3, noise: 0 });
      const positions = Int32Array.from({ length: 20 }, (_, k) => k);
      const batch = train.batch(positions);
      const labels = batch.segmentation.arraySync();
      const depths = batch.depth.arraySync();
      const normals = batch.normal.arraySync();
      const colors = batch.image.arraySync();
      const counts = [0, 0, 0, 0];
      positions.forEach((position) => {
        const objects = train.objects(position);
        for (let row = 0; row < side; row += 1) {
          for (let column = 0; column < side; column += 1) {
            const [x, y] = [((column + 0.5) * 4) / side, ((row + 0.5) * 4) / side];
            const there = objects.filter((object) => inside(object, row + 0.5, column + 0.5));
            const [first] = [null, ...there]
              .map((object) => ({ object, depth: depthOf(object, side)(x, y) }))
              .sort((a, b) => a.depth - b.depth);
            const { object: seen, depth } = first!;
            expect(labels[position]![row]![column]).toBe(seen?.label ?? 0);
            expect(depths[position]![row]![column]).toBeCloseTo(depth, 5);
            const normal = normals[position]![row]![column]!;
            expect(Math.hypot(...normal)).toBeCloseTo(1, 6);
            const expected = normalOf(depthOf(seen, side), x, y);
            // Next to the rim of a half-sphere differences of the depth are of no use.
            if (normal[2]! < -0.05) {
              normal.forEach((value, k) => expect(value).toBeCloseTo(expected[k]!, 4));
            }
            const light =
              0.6 + 0.4 * Math.max(0, -(normal[0]! + normal[1]! + normal[2]!) / 3 ** 0.5);
            const red = ((seen?.color[0] ?? 0.6) * light) / (1 + 0.15 * depth);
            expect(colors[position]![row]![column]![0]).toBeCloseTo(red, 5);
            counts[seen?.label ?? 0]! += 1;
          }
        }
      });
      for (const count of counts) expect(count).toBeGreaterThan(100);
      tf.dispose(batch);
    });
  });

  it('depend on seed, set and position alone', async () => {
    await expectConstantMemory(() => {
      tf.tidy(() => {
        const [few, many] = [scenes({ trainSize: 3, seed: 1 }), scenes({ trainSize: 9, seed: 1 })];
        const at = Int32Array.of(2);
        const image = [...few.train.batch(at).image.dataSync()];
        expect([...many.train.batch(at).image.dataSync()]).toEqual(image);
        expect([...few.test.batch(at).image.dataSync()]).not.toEqual(image);
        const other = scenes({ trainSize: 3, seed: 2 });
        expect([...other.train.batch(at).image.dataSync()]).not.toEqual(image);
        expect(few.validation).toBeNull();
        expect(() => few.train.batch(Int32Array.of(3))).toThrow('from 0 to 2. Found 3');
      });
    });
  });
});
