import * as tf from '@tensorflow/tfjs-core';
import {
  broadcast,
  build,
  commonShape,
  normalInput,
  offset,
  type OperationCase,
} from './operation-case.ts';

const products: OperationCase[] = (
  [
    [[2, 3, 4], [4, 2], false, false],
    [[3, 4], [2, 4, 2], false, false],
    [[2, 3, 4], [1, 4, 2], false, false],
    [[1, 4, 3], [2, 4, 2], true, false],
    [[2, 1, 3, 4], [3, 2, 4], false, true],
    [[2, 1, 4, 3], [1, 3, 2, 4], true, true],
    [[3, 4], [4, 2], false, false],
    [[3, 4], [2, 4], false, true],
    [[4, 3], [4, 2], true, false],
    [[4, 3], [2, 4], true, true],
  ] as [number[], number[], boolean, boolean][]
).map(([a, b, transposeA, transposeB]) => {
  const batch = commonShape(a.slice(0, -2), b.slice(0, -2));
  const [m, n] = [a.at(transposeA ? -1 : -2)!, b.at(transposeB ? -2 : -1)!];
  const inner = a.at(transposeA ? -2 : -1)!;
  return {
    name: `matMul of [${String(a)}]${transposeA ? "'" : ''} and [${String(b)}]${transposeB ? "'" : ''}`,
    inputs: [normalInput(a, 1), normalInput(b, 2)],
    run: (x, y) => tf.matMul(x, y, transposeA, transposeB),
    reference: (x, y) => {
      const [left, right] = [broadcast(a, x), broadcast(b, y)];
      return build([...batch, m, n], (position) => {
        const [outer, [i, j]] = [position.slice(0, -2), position.slice(-2) as [number, number]];
        let sum = 0;
        for (let k = 0; k < inner; k += 1) {
          sum +=
            left([...outer, ...(transposeA ? [k, i] : [i, k])]) *
            right([...outer, ...(transposeB ? [j, k] : [k, j])]);
        }
        return sum;
      });
    },
  };
});

const accumulations: OperationCase[] = [0, 1, 2].flatMap((axis) =>
  [false, true].flatMap((exclusive) =>
    [false, true].map((backward): OperationCase => {
      const shape = [2, 3, 4];
      return {
        name: `cumsum along axis ${axis}${exclusive ? ', exclusive' : ''}${backward ? ', reverse' : ''}`,
        inputs: [normalInput(shape, 1)],
        run: (x) => tf.cumsum(x, axis, exclusive, backward),
        reference: (x) =>
          build(shape, (position) => {
            let sum = 0;
            for (let i = 0; i < shape[axis]!; i += 1) {
              const distance = backward ? i - position[axis]! : position[axis]! - i;
              if (distance > 0 || (distance === 0 && !exclusive)) {
                sum += x[offset(shape, position.with(axis, i))]!;
              }
            }
            return sum;
          }),
      };
    }),
  ),
);

const mirrored: OperationCase[] = (['reflect', 'symmetric'] as const).flatMap((mode) =>
  (
    [
      [[4], [[2, 1]]],
      [
        [3, 4],
        [
          [2, 2],
          [0, 3],
        ],
      ],
      [
        [2, 3, 3],
        [
          [1, 0],
          [1, 2],
          [0, 0],
        ],
      ],
      [
        [1, 3, 4, 2],
        [
          [0, 0],
          [2, 1],
          [1, 3],
          [0, 0],
        ],
      ],
    ] as [number[], [number, number][]][]
  ).map(([shape, paddings]): OperationCase => {
    const edge = mode === 'reflect' ? 0 : 1;
    const out = shape.map((length, i) => length + paddings[i]![0] + paddings[i]![1]);
    return {
      name: `mirrorPad of [${String(shape)}] by ${JSON.stringify(paddings)}, ${mode}`,
      inputs: [normalInput(shape, 1)],
      run: (x) => tf.mirrorPad(x, paddings, mode),
      reference: (x) =>
        build(out, (position) => {
          const source = position.map((index, axis) => {
            const place = index - paddings[axis]![0];
            if (place < 0) return -place - edge;
            const last = shape[axis]! - 1;
            return place > last ? 2 * last - place + edge : place;
          });
          return x[offset(shape, source)]!;
        }),
    };
  }),
);

const padded: OperationCase = {
  name: 'pad by 1.5',
  inputs: [normalInput([2, 3], 1)],
  run: (x) =>
    tf.pad(
      x,
      [
        [1, 0],
        [2, 1],
      ],
      1.5,
    ),
  reference: (x) =>
    build([3, 6], ([i, j]) => (i! >= 1 && j! >= 2 && j! < 5 ? x[(i! - 1) * 3 + j! - 2]! : 1.5)),
};

const copies: OperationCase[] = [
  ...(
    [
      [[3], [2]],
      [
        [2, 3],
        [3, 2],
      ],
      [
        [2, 1, 3],
        [1, 3, 2],
      ],
      [
        [2, 2, 1, 2],
        [2, 1, 3, 1],
      ],
      [
        [2, 1, 2, 1, 2],
        [1, 3, 1, 2, 2],
      ],
    ] as [number[], number[]][]
  ).map(([shape, reps]): OperationCase => ({
    name: `tile of [${String(shape)}] by [${String(reps)}]`,
    inputs: [normalInput(shape, 1)],
    run: (x) => tf.tile(x, reps),
    reference: (x) =>
      build(
        shape.map((length, i) => length * reps[i]!),
        (position) =>
          x[
            offset(
              shape,
              position.map((index, i) => index % shape[i]!),
            )
          ]!,
      ),
  })),
  ...(
    [
      [
        [3, 1],
        [3, 4],
      ],
      [
        [1, 3],
        [2, 4, 3],
      ],
      [[3], [2, 3]],
    ] as [number[], number[]][]
  ).map(([shape, to]): OperationCase => ({
    name: `broadcastTo from [${String(shape)}] to [${String(to)}]`,
    inputs: [normalInput(shape, 1)],
    run: (x) => tf.broadcastTo(x, to),
    reference: (x) => build(to, broadcast(shape, x)),
  })),
  {
    name: 'stack of three along axis 1',
    inputs: [1, 2, 3].map((seed) => normalInput([2, 2], seed)),
    run: (...xs) => tf.stack(xs, 1),
    reference: (...xs) => build([2, 3, 2], ([i, k, j]) => xs[k!]![i! * 2 + j!]!),
  },
  {
    name: 'concat of three along the last axis',
    inputs: [normalInput([2, 1], 1), normalInput([2, 2], 2), normalInput([2, 1], 3)],
    run: (...xs) => tf.concat(xs, -1),
    reference: (a, b, c) => [a[0]!, b[0]!, b[1]!, c[0]!, a[1]!, b[2]!, b[3]!, c[1]!],
  },
  {
    name: 'one part of a split',
    inputs: [normalInput([2, 6], 1)],
    run: (x) => tf.split(x, [1, 3, 2], 1)[1]!,
    reference: (x) => build([2, 3], ([i, j]) => x[i! * 6 + 1 + j!]!),
  },
  {
    name: 'one part of what unstack gives',
    inputs: [normalInput([2, 3, 2], 1)],
    run: (x) => tf.unstack(x, 1)[2]!,
    reference: (x) => build([2, 2], ([i, j]) => x[i! * 6 + 4 + j!]!),
  },
  {
    name: 'reverse along two axes',
    inputs: [normalInput([2, 3, 2], 1)],
    run: (x) => tf.reverse(x, [0, 2]),
    reference: (x) => build([2, 3, 2], ([i, j, k]) => x[offset([2, 3, 2], [1 - i!, j!, 1 - k!])]!),
  },
  {
    name: 'transpose of four axes',
    inputs: [normalInput([2, 3, 1, 2], 1)],
    run: (x) => tf.transpose(x, [3, 0, 2, 1]),
    reference: (x) =>
      build([2, 2, 1, 3], ([a, b, c, d]) => x[offset([2, 3, 1, 2], [b!, d!, c!, a!])]!),
  },
  {
    name: 'slice',
    inputs: [normalInput([3, 4], 1)],
    run: (x) => tf.slice(x, [1, 1], [2, -1]),
    reference: (x) => build([2, 3], ([i, j]) => x[(i! + 1) * 4 + j! + 1]!),
  },
  {
    name: 'stridedSlice',
    inputs: [normalInput([5, 4], 1)],
    run: (x) => tf.stridedSlice(x, [0, 3], [5, 0], [2, -2]),
    reference: (x) => build([3, 2], ([i, j]) => x[i! * 8 + 3 - 2 * j!]!),
  },
  {
    name: 'stridedSlice of one row',
    inputs: [normalInput([3, 6], 1)],
    run: (x) => tf.stridedSlice(x, [1, 0], [2, 6], [1, 2], 0, 0, 0, 0, 1),
    reference: (x) => build([3], ([j]) => x[6 + 2 * j!]!),
  },
  {
    name: 'cumsum along the last axis, counted from the end',
    inputs: [normalInput([2, 3], 1)],
    run: (x) => tf.cumsum(x, -1),
    reference: (x) =>
      build([2, 3], ([i, j]) =>
        x.slice(3 * i!, 3 * i! + j! + 1).reduce((sum, one) => sum + one, 0),
      ),
  },
  {
    name: 'spaceToBatchND',
    inputs: [normalInput([1, 3, 4, 2], 1)],
    run: (x) =>
      tf.spaceToBatchND(
        x,
        [2, 2],
        [
          [1, 0],
          [0, 0],
        ],
      ),
    reference: (x) =>
      build([4, 2, 2, 2], ([n, i, j, c]) => {
        const [row, column] = [2 * i! + Math.floor(n! / 2) - 1, 2 * j! + (n! % 2)];
        return row < 0 ? 0 : x[offset([1, 3, 4, 2], [0, row, column, c!])]!;
      }),
  },
  {
    name: 'batchToSpaceND',
    inputs: [normalInput([4, 2, 2, 2], 1)],
    run: (x) =>
      tf.batchToSpaceND(
        x,
        [2, 2],
        [
          [1, 0],
          [0, 0],
        ],
      ),
    reference: (x) =>
      build([1, 3, 4, 2], ([, i, j, c]) => {
        const row = i! + 1;
        const n = 2 * (row % 2) + (j! % 2);
        return x[offset([4, 2, 2, 2], [n, Math.floor(row / 2), Math.floor(j! / 2), c!])]!;
      }),
  },
  {
    name: 'depthToSpace',
    inputs: [normalInput([1, 2, 2, 4], 1)],
    run: (x) => tf.depthToSpace(x as tf.Tensor4D, 2),
    reference: (x) =>
      build([1, 4, 4, 1], ([, i, j]) => {
        const channel = 2 * (i! % 2) + (j! % 2);
        return x[offset([1, 2, 2, 4], [0, Math.floor(i! / 2), Math.floor(j! / 2), channel])]!;
      }),
  },
];

/** Products, sums along an axis, and operations that copy or move numbers. */
export const arrayCases: readonly OperationCase[] = [
  ...products,
  ...accumulations,
  ...mirrored,
  padded,
  ...copies,
];
