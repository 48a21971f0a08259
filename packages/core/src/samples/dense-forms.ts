import {
  cast,
  oneHot,
  ones,
  reshape,
  scalar,
  sub,
  type Tensor,
  type Tensor1D,
} from '@tensorflow/tfjs-core';
import { bound, type Factors, type Form, part, transposed } from './factors.ts';
import { type Place, samplesFirst, sizeOf } from './places.ts';

/** `y = a b`, with `b` the same for all samples. */
export const ofProduct: Form = ({ call, input, use, delta, valueOf }) => {
  const { a, b } = call.inputs as { a: Tensor; b: Tensor };
  const { transposeA, transposeB } = call.attributes;
  const [rows, columns] = matrixOf(b.shape, transposeB === true);
  // Samples along the columns of `a b`, or several matrices `b`.
  const plain =
    transposeA !== true && sizeOf(b.shape) === rows * columns && use.place.inner % columns === 0;
  const x = valueOf(a);
  if (input !== 'b' || !plain || x === null || x.size / rows !== delta.size / columns) return null;
  const { inner, batch } = use.place;
  const place: Place = { inner: (inner / columns) * rows, batch };
  const positions = delta.size / (batch * columns);
  const inputs = (begin: number, end: number): Tensor => {
    const whole = samplesFirst(x, place, rows);
    return part(whole, begin, end);
  };
  const outputs = (): Tensor => samplesFirst(delta, use.place, columns);
  const factors: Factors = {
    kind: 'factors',
    positions,
    rows,
    columns,
    left: inputs,
    right: outputs,
    leftBound: () => bound(x, place),
  };
  return transposeB === true ? transposed(factors) : factors;
};

function matrixOf(shape: readonly number[], turned: boolean): readonly [number, number] {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return turned ? [columns, rows] : [rows, columns];
}

/** Rows of a table by their numbers: the one-hot vectors of the numbers, times the table. */
export const ofTable: Form = ({ call, input, use, delta, valueOf }) => {
  const { x: table, indices } = call.inputs as { x: Tensor; indices: Tensor };
  const numbers = valueOf(indices);
  const { axis = 0, batchDims = 0 } = call.attributes;
  const [rows, columns] = table.shape as [number, number];
  const { inner, batch } = use.place;
  const plain = table.rank === 2 && axis === 0 && batchDims === 0 && inner % columns === 0;
  if (input !== 'x' || !plain || numbers === null) return null;
  return {
    kind: 'factors',
    positions: delta.size / (batch * columns),
    rows,
    columns,
    left: (begin, end) => {
      const taken = samplesFirst(numbers, { inner: inner / columns, batch }, 1);
      const [, positions] = taken.shape as [number, number, number];
      const shifted = reshape(sub(taken, scalar(begin, 'int32')), [batch * positions]);
      const hot = cast(oneHot(shifted as Tensor1D, end - begin), 'float32');
      return reshape(hot, [batch, positions, end - begin]);
    },
    right: () => samplesFirst(delta, use.place, columns),
    leftBound: () => ones([batch]),
  };
};
