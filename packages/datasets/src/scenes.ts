import {
  type OptionsOf,
  randomState,
  resolveOptions,
  resumeRandom,
  type Random,
} from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { MemorySource } from './batch-source.ts';
import { assertPositions } from './positions.ts';

/** Descriptions of the options of {@link scenes}. */
const scenesOptions = {
  /** Number of training scenes, an integer >= 1. @defaultValue 2000 */
  trainSize: {
    kind: 'number',
    default: 2000,
    minimum: 1,
    integer: true,
    description: 'Number of training scenes, an integer >= 1.',
  },
  /** Number of validation scenes, an integer >= 0. @defaultValue 0 */
  validationSize: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Number of validation scenes, an integer >= 0.',
  },
  /** Number of test scenes, an integer >= 1. @defaultValue 500 */
  testSize: {
    kind: 'number',
    default: 500,
    minimum: 1,
    integer: true,
    description: 'Number of test scenes, an integer >= 1.',
  },
  /** Height and width of a scene in pixels, an integer >= 8. @defaultValue 32 */
  side: {
    kind: 'number',
    default: 32,
    minimum: 8,
    integer: true,
    description: 'Height and width of a scene in pixels, an integer >= 8.',
  },
  /** Most objects in a scene, an integer >= 1. @defaultValue 4 */
  objects: {
    kind: 'number',
    default: 4,
    minimum: 1,
    integer: true,
    description: 'Most objects in a scene, an integer >= 1.',
  },
  /** Standard deviation of the noise of each colour value, >= 0. @defaultValue 0.05 */
  noise: {
    kind: 'number',
    default: 0.05,
    minimum: 0,
    description: 'Standard deviation of the noise of each colour value, 0 or more.',
  },
  /** Seed of the scenes, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of the scenes, an integer >= 0.',
  },
} as const;

/** Options of {@link scenes}. */
export interface ScenesOptions extends OptionsOf<typeof scenesOptions> {}

/** The classes of the pixels of {@link scenes}, by number. */
export const sceneClasses: readonly string[] = Object.freeze([
  'background',
  'disc',
  'square',
  'triangle',
]);

/** One object of a scene. Lengths are in pixels; a pixel's centre is half a pixel from its edges. */
export interface SceneObject {
  /** Its class: 1 disc, 2 square, 3 triangle. */
  readonly label: 1 | 2 | 3;
  /** Distance from the top edge to its centre. */
  readonly row: number;
  /** Distance from the left edge to its centre. */
  readonly column: number;
  /** Radius of a disc, half the side of a square, half the base and half the height of a triangle. */
  readonly size: number;
  /** Depth of its nearest point, of a square or a triangle of the nearest corner of the square around it, 1 to 4. */
  readonly depth: number;
  /** How much its depth grows per unit downwards and to the right, −1/2 to 1/2 each; a disc is a half-sphere and has none. */
  readonly slope: readonly [number, number];
  /** Red, green and blue, 0 to 1, before the shading. */
  readonly color: readonly [number, number, number];
}

/** A batch of n scenes. */
export type SceneBatch = Readonly<{
  /** n × side × side × 3, float32: colours from 0 to 1, and noise. */
  image: tf.Tensor4D;
  /** n × side × side, int32: the class of what is seen at each pixel's centre. */
  segmentation: tf.Tensor3D;
  /** n × side × side, float32: its depth, 1 to 8. */
  depth: tf.Tensor3D;
  /** n × side × side × 3, float32: the normal of its surface, of length 1: to the right, down, and away from the viewer. */
  normal: tf.Tensor4D;
}>;

/** Scenes; pixels are drawn a batch at a time. */
export interface Scenes extends MemorySource<SceneBatch> {
  /** The objects of the scene at a position. */
  objects(position: number): readonly SceneObject[];
}

/** Scenes for training, validation and testing. */
export interface SceneSets {
  readonly train: Scenes;
  /** Null where `validationSize` is 0. */
  readonly validation: Scenes | null;
  readonly test: Scenes;
}

/**
 * Generated scenes for tasks with a target at every pixel: half-spheres, slanted squares and slanted triangles in front of each
 * other on a floor that recedes towards the top, with the exact class, depth and surface normal of each pixel.
 *
 * A scene is 4 units of depth wide and high, and is seen without perspective: with `x` to the right and `y` down from its upper
 * left corner, in units,
 *
 * - the floor has the depth `8 − y`, and the normal `(0, −1, −1)/√2`;
 * - a disc of radius R and depth d, with its centre `(u, v)` away, has the depth `d + R − w`, `w = √(R² − u² − v²)`, and the
 *   normal `(u, v, −w)/R`;
 * - a square or a triangle with the slopes q to the right and p down has the depth `d + (|p| + |q|) R + p v + q u`, R half its
 *   side, and the normal `(q, p, −1)/√(1 + p² + q²)`.
 *
 * The nearest surface is seen. Light comes from the viewer's upper left: a colour is multiplied by
 * `(0.6 + 0.4 max(0, ⟨n, l⟩)) / (1 + 0.15 d)`, `l = (−1, −1, −1)/√3`, so brightness tells depth and normal only together with
 * what it is, and noise is added. A colour tells no class. A scene depends on `seed`, its set and its position, not on the
 * sizes.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { sceneClasses, scenes } from '@multigrad/datasets';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const { train } = scenes({ trainSize: 100, side: 16, seed: 1 });
 * const batch = train.batch(Int32Array.of(0, 1));
 * console.log(batch.image.shape, batch.segmentation.shape, batch.depth.shape); // [ 2, 16, 16, 3 ] [ 2, 16, 16 ] [ 2, 16, 16 ]
 * console.log(batch.normal.shape, sceneClasses.length); // [ 2, 16, 16, 3 ] 4
 * ```
 */
export function scenes(given: ScenesOptions = {}): SceneSets {
  const { trainSize, validationSize, testSize, ...options } = resolveOptions<ScenesOptions>(
    'scenes',
    scenesOptions,
    given,
  );
  return {
    train: sceneSet('train', trainSize, options),
    validation: validationSize === 0 ? null : sceneSet('validation', validationSize, options),
    test: sceneSet('test', testSize, options),
  };
}

interface Drawing {
  readonly side: number;
  readonly objects: number;
  readonly noise: number;
  readonly seed: number;
}

function sceneSet(set: string, count: number, drawing: Drawing): Scenes {
  const { side, noise, seed } = drawing;
  const objects = (position: number): readonly SceneObject[] => {
    assertPositions([position], count);
    return drawObjects(drawing, resumeRandom(randomState(seed, 'scenes', set, position)));
  };
  return {
    count,
    objects,
    batch(indices) {
      const pixels = side * side;
      const image = new Float32Array(indices.length * pixels * 3);
      const labels = new Int32Array(indices.length * pixels);
      const depths = new Float32Array(indices.length * pixels);
      const normals = new Float32Array(indices.length * pixels * 3);
      indices.forEach((position, at) => {
        const all = objects(position);
        const random = resumeRandom(randomState(seed, 'noise of scenes', set, position));
        for (let pixel = 0; pixel < pixels; pixel += 1) {
          const seen = seenAt(all, Math.floor(pixel / side) + 0.5, (pixel % side) + 0.5, side);
          const place = at * pixels + pixel;
          labels[place] = seen.label;
          depths[place] = seen.depth;
          normals.set(seen.normal, 3 * place);
          const shade = lightOn(seen.normal) / (1 + 0.15 * seen.depth);
          seen.color.forEach((value, channel) => {
            const grain = noise === 0 ? 0 : noise * random.normal();
            image[3 * place + channel] = value * shade + grain;
          });
        }
      });
      return {
        image: tf.tensor4d(image, [indices.length, side, side, 3]),
        segmentation: tf.tensor3d(labels, [indices.length, side, side], 'int32'),
        depth: tf.tensor3d(depths, [indices.length, side, side]),
        normal: tf.tensor4d(normals, [indices.length, side, side, 3]),
      };
    },
  };
}

function drawObjects({ side, objects }: Drawing, random: Random): SceneObject[] {
  const between = (low: number, high: number): number => low + (high - low) * random.uniform();
  return Array.from({ length: 1 + random.integer(objects) }, () => ({
    label: (1 + random.integer(3)) as 1 | 2 | 3,
    row: between(0, side),
    column: between(0, side),
    size: between(0.1, 0.25) * side,
    depth: between(1, 4),
    slope: [between(-0.5, 0.5), between(-0.5, 0.5)],
    color: [between(0.2, 1), between(0.2, 1), between(0.2, 1)],
  }));
}

/** Width and height of a scene, in units of depth. */
const extent = 4;

/** Right, down, and away from the viewer. */
type Direction = readonly [number, number, number];

/** A surface at a point of the picture. */
interface Surface {
  readonly depth: number;
  /** Of length 1, towards the viewer. */
  readonly normal: Direction;
}

/** What is seen at a point: the nearest of the objects that cover it and the floor. */
function seenAt(
  objects: readonly SceneObject[],
  row: number,
  column: number,
  side: number,
): Surface & { readonly label: number; readonly color: Direction } {
  const floor = plane(8 - (extent * row) / side, [-1, 0]);
  let nearest = { ...floor, label: 0, color: [0.6, 0.6, 0.6] as Direction };
  for (const object of objects) {
    if (!covers(object, row, column)) continue;
    const surface = surfaceOf(object, row, column, side);
    if (surface.depth >= nearest.depth) continue;
    nearest = { ...surface, label: object.label, color: object.color };
  }
  return nearest;
}

/** The surface of an object at a point that it covers. */
function surfaceOf(
  { label, depth, slope, size, ...centre }: SceneObject,
  row: number,
  column: number,
  side: number,
): Surface {
  const unit = extent / side;
  const radius = size * unit;
  const [v, u] = [(row - centre.row) * unit, (column - centre.column) * unit];
  if (label === 1) {
    const w = Math.sqrt(Math.max(0, radius * radius - u * u - v * v));
    return { depth: depth + radius - w, normal: [u / radius, v / radius, -w / radius] };
  }
  const [p, q] = slope;
  return plane(depth + (Math.abs(p) + Math.abs(q)) * radius + p * v + q * u, slope);
}

/** A plane at a point where it has a depth, by how much that grows downwards and to the right. */
function plane(depth: number, [p, q]: readonly [number, number]): Surface {
  const length = Math.hypot(q, p, 1);
  return { depth, normal: [q / length, p / length, -1 / length] };
}

/** How bright a surface is under the light from the viewer's upper left, 0.6 to 1. */
function lightOn([x, y, z]: Direction): number {
  return 0.6 + 0.4 * Math.max(0, -(x + y + z) / Math.sqrt(3));
}

function covers({ label, size, ...centre }: SceneObject, row: number, column: number): boolean {
  const [down, right] = [row - centre.row, column - centre.column];
  if (label === 1) return down * down + right * right <= size * size;
  if (Math.abs(down) > size) return false;
  // A triangle is as wide as it is high, with its point at the top.
  return Math.abs(right) <= (label === 2 ? size : (down + size) / 2);
}
