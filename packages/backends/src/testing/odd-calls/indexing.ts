import * as tf from '@tensorflow/tfjs-core';
import type { OddOperation } from './odd-call.ts';
import { type Draw } from './odd-call.ts';
import { integers, type CaseInput } from '../operations/operation-case.ts';

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Tuples of indices into the first axes of a shape, of any outer shape. */
function places(draw: Draw, shape: readonly number[]): CaseInput {
  const depth = draw.integer(draw.chance(0.05) ? 0 : 1, shape.length + (draw.chance(0.05) ? 1 : 0));
  const outer = draw.list(draw.integer(1, 2), () => draw.integer(1, 3));
  const values = Array.from({ length: sizeOf(outer) * depth }, (_, i) =>
    draw.index(shape[i % depth] ?? 2),
  );
  return integers([...outer, depth], values);
}

/** Operations that take numbers from given places, or put them there. */
export const indexing: readonly OddOperation[] = [
  {
    name: 'gather',
    draw: (draw) => {
      const shape = draw.shape(1, 4);
      const axis = draw.axis(shape.length);
      const batchDims = draw.chance(0.7) ? 0 : draw.integer(-1, shape.length);
      const own = [...shape.slice(0, Math.max(0, batchDims)), ...draw.shape(0, 2)];
      const length = shape.at(axis) ?? 2;
      const values = draw.list(sizeOf(own), () => draw.index(length));
      const indices = draw.chance(0.05)
        ? { shape: own, values, dtype: 'float32' as const }
        : integers(own, values);
      return {
        inputs: [draw.input(shape, draw.type()), indices],
        arguments: { axis, batchDims },
        run: (x, at) => tf.gather(x, at, axis, batchDims),
      };
    },
  },
  {
    name: 'gatherND',
    draw: (draw) => {
      const shape = draw.shape(1, 4);
      return {
        inputs: [draw.input(shape, draw.type()), places(draw, shape)],
        arguments: {},
        run: (x, at) => tf.gatherND(x, at),
      };
    },
  },
  {
    name: 'scatterND',
    draw: (draw) => {
      const shape = draw.shape(1, 4);
      const at = places(draw, shape);
      const updates = [...at.shape.slice(0, -1), ...shape.slice(at.shape.at(-1))];
      const odd = draw.chance(0.05) ? draw.shape(1, 3) : updates;
      return {
        inputs: [at, draw.input(odd, draw.type(['float32', 'int32']))],
        arguments: { shape },
        run: (indices, numbers) => tf.scatterND(indices, numbers, shape),
      };
    },
  },
  {
    name: 'tensorScatterUpdate',
    draw: (draw) => {
      const shape = draw.shape(1, 4);
      const at = places(draw, shape);
      const updates = [...at.shape.slice(0, -1), ...shape.slice(at.shape.at(-1))];
      const odd = draw.chance(0.05) ? draw.shape(1, 3) : updates;
      const dtype = draw.type();
      return {
        inputs: [draw.input(shape, dtype), at, draw.input(odd, dtype)],
        arguments: {},
        run: (x, indices, numbers) => tf.tensorScatterUpdate(x, indices, numbers),
      };
    },
  },
  {
    name: 'sparseToDense',
    draw: (draw) => {
      const shape = draw.shape(1, 3);
      const count = draw.integer(1, 3);
      const dtype = draw.type();
      const values = Array.from({ length: count * shape.length }, (_, i) =>
        draw.index(shape[i % shape.length]!),
      );
      return {
        inputs: [
          integers([count, shape.length], values),
          draw.input(draw.chance(0.2) ? [] : [draw.chance(0.05) ? count + 1 : count], dtype),
          draw.input([], dtype),
        ],
        arguments: { shape },
        run: (at, numbers, rest) => tf.sparseToDense(at, numbers, shape, rest as tf.Scalar),
      };
    },
  },
  {
    name: 'oneHot',
    draw: (draw) => {
      const depth = draw.chance(0.1) ? draw.integer(-1, 1) : draw.integer(1, 5);
      const shape = draw.shape(0, 3);
      const dtype = draw.type();
      const [on, off] = [draw.integer(0, 3), draw.integer(0, 3)];
      return {
        inputs: [
          integers(
            shape,
            draw.list(sizeOf(shape), () => draw.index(depth)),
          ),
        ],
        arguments: { depth, on, off, dtype },
        run: (x) => tf.oneHot(x, depth, on, off, dtype),
      };
    },
  },
  {
    name: 'unsortedSegmentSum',
    draw: (draw) => {
      const shape = draw.shape(1, 3);
      const segments = draw.chance(0.1) ? draw.integer(-1, 1) : draw.integer(1, 4);
      const ids = integers(
        [shape[0]!],
        draw.list(shape[0]!, () => draw.index(segments)),
      );
      return {
        inputs: [draw.input(shape, draw.type(['float32', 'int32'])), ids],
        arguments: { segments },
        run: (x, at) => tf.unsortedSegmentSum(x, at as tf.Tensor1D, segments),
      };
    },
  },
  {
    name: 'bincount',
    draw: (draw) => {
      const size = draw.integer(draw.chance(0.1) ? -1 : 1, 5);
      const length = draw.integer(0, 5);
      const weights = draw.chance(0.5) ? 0 : draw.chance(0.1) ? length + 1 : length;
      return {
        inputs: [
          integers(
            [length],
            draw.list(length, () => draw.index(size)),
          ),
          draw.input([weights], draw.type(['float32', 'int32'])),
        ],
        arguments: { size },
        run: (x, w) => tf.bincount(x as tf.Tensor1D, w as tf.Tensor1D, size),
      };
    },
  },
  {
    name: 'denseBincount',
    draw: (draw) => {
      const size = draw.integer(draw.chance(0.1) ? -1 : 1, 5);
      const shape = draw.shape(1, 2);
      const binary = draw.chance(0.3);
      const weights = draw.chance(0.5) ? [0] : draw.chance(0.1) ? draw.shape(1, 2) : shape;
      return {
        inputs: [
          integers(
            shape,
            draw.list(sizeOf(shape), () => draw.index(size)),
          ),
          draw.input(weights, draw.type(['float32', 'int32'])),
        ],
        arguments: { size, binary },
        run: (x, w) => tf.denseBincount(x as tf.Tensor1D, w as tf.Tensor1D, size, binary),
      };
    },
  },
  ...(['sparseSegmentSum', 'sparseSegmentMean'] as const).map((name): OddOperation => ({
    name: `sparse.${name}`,
    draw: (draw) => {
      const shape = draw.shape(1, 3);
      const count = draw.integer(0, 4);
      let segment = 0;
      const segments = draw.list(count, () => {
        if (draw.chance(0.1)) return draw.integer(-1, 5);
        segment += draw.integer(0, 2);
        return segment;
      });
      const indices = draw.list(draw.chance(0.05) ? count + 1 : count, () => draw.index(shape[0]!));
      return {
        inputs: [
          draw.input(shape, draw.type(['float32', 'int32'])),
          integers([indices.length], indices),
          integers([count], segments),
        ],
        arguments: {},
        run: (x, at, into) => tf.sparse[name](x, at as tf.Tensor1D, into as tf.Tensor1D),
      };
    },
  })),
  {
    name: 'sparse.sparseFillEmptyRows',
    draw: (draw) => {
      const shape = draw.list(2, () => draw.integer(draw.chance(0.1) ? 0 : 1, 4));
      const count = draw.integer(0, 4);
      const at = Array.from({ length: 2 * count }, (_, i) => draw.index(shape[i % 2]!));
      const dtype = draw.type(['float32', 'int32']);
      return {
        inputs: [
          integers([count, 2], at),
          draw.input([draw.chance(0.05) ? count + 1 : count], dtype),
          integers([2], shape),
          draw.input([], dtype),
        ],
        arguments: {},
        run: (indices, values, dense, rest) => {
          const { outputIndices, outputValues, emptyRowIndicator, reverseIndexMap } =
            tf.sparse.sparseFillEmptyRows(
              indices as tf.Tensor2D,
              values as tf.Tensor1D,
              dense as tf.Tensor1D,
              rest as tf.Scalar,
            ) as unknown as Record<string, tf.Tensor>;
          return [outputIndices!, outputValues!, emptyRowIndicator!, reverseIndexMap!];
        },
      };
    },
  },
  {
    name: 'sparse.sparseReshape',
    draw: (draw) => {
      const shape = draw.list(draw.integer(1, 3), () => draw.integer(draw.chance(0.1) ? 0 : 1, 4));
      const count = draw.integer(0, 4);
      const at = Array.from({ length: shape.length * count }, (_, i) =>
        draw.index(shape[i % shape.length]!),
      );
      const to = draw.chance(0.6)
        ? [-1, ...shape.slice(1)]
        : draw.list(draw.integer(1, 3), () => draw.integer(-1, 4));
      return {
        inputs: [
          integers([count, shape.length], at),
          integers([shape.length], shape),
          integers([to.length], to),
        ],
        arguments: {},
        run: (indices, from, into) => {
          const { outputIndices, outputShape } = tf.sparse.sparseReshape(
            indices as tf.Tensor2D,
            from as tf.Tensor1D,
            into as tf.Tensor1D,
          ) as unknown as Record<string, tf.Tensor>;
          return [outputIndices!, outputShape!];
        },
      };
    },
  },
  ...(['lowerBound', 'upperBound'] as const).map((name): OddOperation => ({
    name,
    draw: (draw) => {
      const dtype = draw.type(['float32', 'int32']);
      const outer = draw.shape(0, 2);
      const sorted = draw.input([...outer, draw.integer(1, 5)], dtype);
      const width = sorted.shape.at(-1)!;
      const values = Array.from({ length: sizeOf(outer) }, (_, row) =>
        Array.from(sorted.values)
          .slice(row * width, (row + 1) * width)
          .sort((a, b) => a - b),
      ).flat();
      return {
        inputs: [
          { ...sorted, values },
          draw.input(
            [...(draw.chance(0.05) ? draw.shape(0, 2) : outer), draw.integer(1, 3)],
            dtype,
          ),
        ],
        arguments: {},
        run: (x, numbers) => tf[name](x, numbers),
      };
    },
  })),
  {
    name: 'where',
    draw: (draw) => {
      const shape = draw.shape(0, 4);
      const part = (): number[] =>
        shape
          .slice(draw.chance(0.2) ? draw.integer(0, shape.length) : 0)
          .map((length) => (draw.chance(0.1) ? draw.integer(1, 3) : length));
      const dtype = draw.type();
      return {
        inputs: [
          draw.input(part(), draw.chance(0.05) ? 'float32' : 'bool'),
          draw.input(part(), dtype),
          draw.input(part(), draw.chance(0.05) ? draw.type() : dtype),
        ],
        arguments: {},
        run: (condition, x, y) => tf.where(condition, x, y),
      };
    },
  },
  {
    name: 'unique',
    draw: (draw) => {
      const shape = draw.shape(1, 3);
      const axis = draw.axis(shape.length);
      return {
        inputs: [draw.input(shape, draw.type(['int32', 'bool', 'float32']))],
        arguments: { axis },
        run: (x) => {
          const { values, indices } = tf.unique(x, axis);
          return [values, indices];
        },
      };
    },
  },
];
