import * as tf from '@tensorflow/tfjs-core';
import { build, normalInput, offset, type OperationCase } from './operation-case.ts';

const sizes = [
  [
    [4, 3],
    [8, 6],
  ],
  [
    [4, 3],
    [3, 7],
  ],
  [
    [2, 5],
    [5, 2],
  ],
  [
    [5, 4],
    [2, 3],
  ],
  [
    [3, 1],
    [1, 4],
  ],
] as const;

/** The place of a new pixel among the old ones. */
function place(
  index: number,
  from: number,
  to: number,
  alignCorners: boolean,
  halfPixelCenters: boolean,
): number {
  if (halfPixelCenters) return ((index + 0.5) * from) / to - 0.5;
  return alignCorners && to > 1 ? (index * (from - 1)) / (to - 1) : (index * from) / to;
}

const resized: OperationCase[] = sizes.flatMap(([[rows, columns], [newRows, newColumns]]) =>
  (
    [
      [false, false],
      [true, false],
      [false, true],
    ] as const
  ).flatMap(([alignCorners, halfPixelCenters]): OperationCase[] => {
    const shape = [2, rows, columns, 2];
    const at =
      (x: readonly number[]) =>
      (n: number, i: number, j: number, c: number): number =>
        x[
          offset(shape, [
            n,
            Math.max(0, Math.min(rows - 1, i)),
            Math.max(0, Math.min(columns - 1, j)),
            c,
          ])
        ]!;
    const label = `of [${rows},${columns}] to [${newRows},${newColumns}]${alignCorners ? ', alignCorners' : ''}${halfPixelCenters ? ', halfPixelCenters' : ''}`;
    return [
      {
        name: `resizeBilinear ${label}`,
        inputs: [normalInput(shape, 1)],
        run: (x) =>
          tf.image.resizeBilinear(
            x as tf.Tensor4D,
            [newRows, newColumns],
            alignCorners,
            halfPixelCenters,
          ),
        reference: (x) =>
          build([2, newRows, newColumns, 2], ([n, i, j, c]) => {
            const row = place(i!, rows, newRows, alignCorners, halfPixelCenters);
            const column = place(j!, columns, newColumns, alignCorners, halfPixelCenters);
            const [top, left] = [Math.floor(row), Math.floor(column)];
            const [p, q] = [row - top, column - left];
            const old = at(x);
            return (
              (1 - p) * (1 - q) * old(n!, top, left, c!) +
              (1 - p) * q * old(n!, top, left + 1, c!) +
              p * (1 - q) * old(n!, top + 1, left, c!) +
              p * q * old(n!, top + 1, left + 1, c!)
            );
          }),
      },
      {
        name: `resizeNearestNeighbor ${label}`,
        inputs: [normalInput(shape, 1)],
        run: (x) =>
          tf.image.resizeNearestNeighbor(
            x as tf.Tensor4D,
            [newRows, newColumns],
            alignCorners,
            halfPixelCenters,
          ),
        reference: (x) =>
          build([2, newRows, newColumns, 2], ([n, i, j, c]) => {
            const row = place(i!, rows, newRows, alignCorners, halfPixelCenters);
            const column = place(j!, columns, newColumns, alignCorners, halfPixelCenters);
            const nearest = (at_: number): number =>
              halfPixelCenters || alignCorners ? Math.floor(at_ + 0.5) : Math.floor(at_);
            return at(x)(n!, nearest(row), nearest(column), c!);
          }),
      },
    ];
  }),
);

/** Resized images, for every way of placing corners and centers. */
export const resizingCases: readonly OperationCase[] = resized;
