import * as tf from '@tensorflow/tfjs-core';
import { build, integers, normalInput, offset, type OperationCase } from './operation-case.ts';

const gathered: OperationCase[] = (
  [
    [[4, 3], [2, 3], [0, 3, 3, 1, 0, 2], 0, 0],
    [[3, 4], [3], [3, 0, 3], 1, 0],
    [[2, 3, 4], [2, 2], [0, 2, 1, 1], 1, 0],
    [[2, 4], [2, 3], [0, 3, 3, 1, 0, 1], 1, 1],
    [[2, 4, 3], [2, 3], [0, 3, 3, 1, 0, 1], 1, 1],
    [[2, 3, 4, 2], [2, 3], [0, 3, 3, 1, 0, 1], 2, 1],
    [[2, 2, 4, 3], [2, 2, 2], [0, 3, 3, 3, 1, 2, 0, 0], 2, 2],
    [[3, 2, 2], [3, 1], [0, 1, 1], 1, 1],
    [[2, 3, 4], [2, 2], [3, 1, 0, 3], -1, 1],
  ] as [number[], number[], number[], number, number][]
).map(([shape, indexShape, indices, axis, batchDims]) => {
  const along = axis < 0 ? axis + shape.length : axis;
  const inner = indexShape.slice(batchDims);
  const out = [...shape.slice(0, along), ...inner, ...shape.slice(along + 1)];
  return {
    name: `gather from [${String(shape)}] with indices of [${String(indexShape)}] along axis ${axis}, ${batchDims} axes of batches`,
    inputs: [normalInput(shape, 1), integers(indexShape, indices)],
    run: (x, i) => tf.gather(x, i, axis, batchDims),
    reference: (x) =>
      build(out, (position) => {
        const index = [
          ...position.slice(0, batchDims),
          ...position.slice(along, along + inner.length),
        ];
        const place = indices[offset(indexShape, index)]!;
        const source = [
          ...position.slice(0, along),
          place,
          ...position.slice(along + inner.length),
        ];
        return x[offset(shape, source)]!;
      }),
  };
});

const segments: OperationCase[] = [
  {
    name: 'unsortedSegmentSum, one id out of range',
    inputs: [normalInput([4, 3], 1), integers([4], [2, 0, 2, -1])],
    run: (x, ids) => tf.unsortedSegmentSum(x, ids as tf.Tensor1D, 4),
    reference: (x) =>
      build([4, 3], ([segment, c]) =>
        [2, 0, 2, -1].reduce((sum, id, i) => (id === segment ? sum + x[i * 3 + c!]! : sum), 0),
      ),
  },
  {
    name: 'scatterND of rows, one of them twice',
    inputs: [integers([3, 1], [2, 0, 2]), normalInput([3, 2], 1)],
    run: (places, updates) => tf.scatterND(places, updates, [4, 2]),
    reference: (_, updates) =>
      build([4, 2], ([row, c]) =>
        [2, 0, 2].reduce((sum, at, i) => (at === row ? sum + updates[i * 2 + c!]! : sum), 0),
      ),
  },
  {
    name: 'gatherND of numbers and rows',
    inputs: [normalInput([3, 2, 2], 1), integers([2, 2], [2, 1, 0, 1])],
    run: (x, places) => tf.gatherND(x, places),
    reference: (x) => [x[10]!, x[11]!, x[2]!, x[3]!],
  },
];

/** Operations that take numbers from given places, or put them there. */
export const indexingCases: readonly OperationCase[] = [...gathered, ...segments];
