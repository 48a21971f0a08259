import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { dispatch, groupSize, sizeOf, type WebGpu, type WebGpuKernel } from './program.ts';

/** Columns of a workgroup, side by side in memory; its other threads share the rows. */
const columns = 16;
const lanes = groupSize / columns;
/** Rows of a workgroup, at most. */
const chunk = 128 * lanes;

/** The sums of an expression over the rows of a matrix, column by column. */
export interface ColumnSums {
  /** Names the expression. */
  readonly name: string;
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  /** WGSL of one number, at `row`, `column` and `at`, its place in the matrix. */
  readonly expression: string;
  readonly rows: number;
  readonly columns: number;
  /** What sums are multiplied with. @defaultValue 1 */
  readonly factor?: number;
}

/** Adds up, in one dispatch or, where there are many rows, in two: sums of parts of the rows, then of these. */
export function columnSums(gpu: WebGpu, given: ColumnSums): TensorInfo {
  const parts = Math.max(1, Math.ceil(given.rows / chunk));
  if (parts === 1) return sumsOfParts(gpu, given, 1);
  const partial = sumsOfParts(gpu, { ...given, factor: 1 }, parts);
  const { factor = 1 } = given;
  const sum = columnSums(gpu, {
    name: 'parts',
    inputs: { x: partial },
    expression: 'x[at]',
    rows: parts,
    columns: given.columns,
    factor,
  });
  gpu.disposeData(partial.dataId);
  return sum;
}

function sumsOfParts(gpu: WebGpu, given: ColumnSums, parts: number): TensorInfo {
  const blocks = Math.ceil(given.columns / columns);
  return dispatch(gpu, {
    name: `column sums of ${given.name}`,
    inputs: given.inputs,
    numbers: { factor: given.factor ?? 1 },
    integers: { rows: given.rows, columns: given.columns, blocks },
    shape: parts === 1 ? [given.columns] : [parts, given.columns],
    groups: blocks * parts,
    code: `
    var<workgroup> sums : array<f32, ${groupSize}>;
    fn valueAt(row : i32, column : i32, at : i32) -> f32 { return ${given.expression}; }
    fn main(index : i32) {
      let part = index / ${groupSize} / uniforms.blocks;
      let thread = i32(localIndex);
      let column = index / ${groupSize} % uniforms.blocks * ${columns} + thread % ${columns};
      var sum = 0.0;
      if (column < uniforms.columns) {
        let end = min((part + 1) * ${chunk}, uniforms.rows);
        for (var row = part * ${chunk} + thread / ${columns}; row < end; row += ${lanes}) {
          sum += valueAt(row, column, row * uniforms.columns + column);
        }
      }
      sums[thread] = sum;
      workgroupBarrier();
      for (var half = ${groupSize / 2}; half >= ${columns}; half = half / 2) {
        if (thread < half) { sums[thread] += sums[thread + half]; }
        workgroupBarrier();
      }
      if (thread < ${columns} && column < uniforms.columns) {
        result[part * uniforms.columns + column] = sums[thread] * uniforms.factor;
      }
    }`,
  });
}

/** Sums over leading axes, as gradients of biases are, without the stock kernel's transposition. */
export const sumOverRows: WebGpuKernel = {
  name: 'Sum',
  run: ({ inputs, attrs }, gpu) => {
    const { x } = inputs as Record<'x', TensorInfo>;
    const { axis, keepDims } = (attrs ?? {}) as { axis?: number | number[]; keepDims?: boolean };
    const { shape } = x;
    const axes = util.parseAxisParam(axis ?? shape.map((_, i) => i), shape).sort((p, q) => p - q);
    const leading = axes.every((value, index) => value === index);
    // Sums over all axes have one column: the stock kernel has them in one dispatch.
    if (x.dtype !== 'float32' || !leading || axes.length === 0 || axes.length === shape.length)
      return null;
    const [kept, reduced] = backend_util.computeOutAndReduceShapes(shape, axes);
    if (shape.includes(0)) return null;
    const sums = columnSums(gpu, {
      name: 'numbers',
      inputs: { x },
      expression: 'x[at]',
      rows: sizeOf(reduced),
      columns: sizeOf(kept),
    });
    return { ...sums, shape: keepDims ? backend_util.expandShapeToKeepDim(kept, axes) : kept };
  },
};
