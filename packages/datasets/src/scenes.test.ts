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

describe('scenes', () => {
  it('have the class and the depth of what is nearest at every pixel', async () => {
    await expectConstantMemory(() => {
      const side = 24;
      const { train } = scenes({ trainSize: 20, side, seed: 3, noise: 0 });
      const positions = Int32Array.from({ length: 20 }, (_, k) => k);
      const batch = train.batch(positions);
      const labels = batch.segmentation.arraySync();
      const depths = batch.depth.arraySync();
      const colors = batch.image.arraySync();
      const counts = [0, 0, 0, 0];
      positions.forEach((position) => {
        const objects = [...train.objects(position)].sort((a, b) => a.depth - b.depth);
        for (let row = 0; row < side; row += 1) {
          for (let column = 0; column < side; column += 1) {
            const seen = objects.find((object) => inside(object, row + 0.5, column + 0.5));
            const depth = seen?.depth ?? 8 - (4 * (row + 0.5)) / side;
            expect(labels[position]![row]![column]).toBe(seen?.label ?? 0);
            expect(depths[position]![row]![column]).toBeCloseTo(depth, 5);
            const red = (seen?.color[0] ?? 0.6) / (1 + 0.15 * depth);
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
