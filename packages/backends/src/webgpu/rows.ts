import { getKernel, type TensorInfo } from '@tensorflow/tfjs-core';
import { rowsOf, weightsOf } from '../registry/check-inputs.ts';
import {
  dispatch,
  elementwise,
  groupSize,
  mostInputs,
  reductions,
  sizeOf,
  type WebGpu,
  type WebGpuKernel,
} from './program.ts';

/** Numbers of each row that one workgroup takes: each thread adds up 64, then they add up their sums in pairs. */
const chunk = 64 * groupSize;

/**
 * Inner products of the K gradients of one tensor. Each workgroup takes a part of the rows, scaled by powers of two so that
 * the largest magnitude of each row's part lies in [1, 4); where there are several parts, a second dispatch adds them up.
 * Sums are float32, in blocks and pairs: the low parts are 0. Rows below the smallest normal number count as zeros.
 */
export const gramianOfRows: WebGpuKernel = {
  name: 'GramianOfRows',
  run: ({ inputs, backend }, gpu) => {
    const rows = rowsOf('GramianOfRows', inputs);
    const count = rows.length;
    const size = sizeOf(rows[0]!.shape);
    const groups = Math.max(1, Math.ceil(size / chunk));
    const pairs = (count * (count + 1)) / 2;
    // More rows than a shader can read become one buffer.
    const joined = count > mostInputs(gpu) ? joinedRows(rows, backend) : null;
    const buffers = joined === null ? namedRows(rows) : { rows: joined };
    const value =
      joined === null
        ? `switch (k) { ${rows.map((_, k) => `case ${k}: { return row${k}[i]; }`).join(' ')} default: { return 0.0; } }`
        : 'return rows[k * uniforms.length + i];';
    const whole = groups === 1;
    const output = dispatch(gpu, {
      name: `gramian ${whole ? 'whole' : 'part'} ${joined === null ? count : 'joined'}`,
      inputs: buffers,
      integers: { count, length: size },
      shape: [whole ? count + 2 * pairs : groups * (count + pairs)],
      groups,
      code: gramianOfParts(value, whole ? finished : kept),
    });
    if (joined !== null) gpu.disposeData(joined.dataId);
    if (whole) return output;
    const sum = dispatch(gpu, {
      name: 'gramian of parts',
      inputs: { parts: output },
      integers: { count, parts_count: groups },
      shape: [count + 2 * pairs],
      groups: 1,
      code: sumOfParts,
    });
    gpu.disposeData(output.dataId);
    return sum;
  },
};

/** The power of two that brings a magnitude, given by its bits, to [1, 4). */
const scales = `
  fn scaleOf(bits : u32) -> f32 { return bitcast<f32>(max(254 - i32(bits >> 23u), 1) << 23u); }
  fn normal(bits : u32) -> u32 { return select(bits, 0u, bits < 0x00800000u); }`;

/** Thread 0 keeps a part's magnitudes and scaled products. */
const kept = {
  magnitude: 'result[group * (uniforms.count + pairs) + k] = bitcast<f32>(bits);',
  product: 'result[group * (uniforms.count + pairs) + uniforms.count + pair] = sum;',
};

/** Thread 0 writes magnitudes and products as the kernel returns them. */
const finished = {
  magnitude: 'result[k] = bitcast<f32>(bits);',
  product: `
    let a = bitcast<f32>(bitsOfI) * scaleOf(bitsOfI);
    let b = bitcast<f32>(bitsOfJ) * scaleOf(bitsOfJ);
    result[uniforms.count + 2 * pair] = select(sum / (a * b), 0.0, bitsOfI == 0u || bitsOfJ == 0u);
    result[uniforms.count + 2 * pair + 1] = 0.0;`,
};

/** Goes through rows and pairs: `magnitudeOf` and `productOf` are what each thread has of them. */
function rowsAndPairs(
  magnitudeOf: string,
  productOf: string,
  write: typeof kept,
  functions: string,
): string {
  return `
  ${reductions}
  ${scales}
  ${functions}
  fn main(index : i32) {
    let group = index / ${groupSize};
    let thread = i32(localIndex);
    let pairs = uniforms.count * (uniforms.count + 1) / 2;
    for (var k = 0; k < uniforms.count; k++) {
      let bits = normal(largest(magnitudeOf(group, thread, k)));
      if (thread == 0) { ${write.magnitude} }
    }
    var pair = 0;
    for (var i = 0; i < uniforms.count; i++) {
      let bitsOfI = normal(largest(magnitudeOf(group, thread, i)));
      for (var j = i; j < uniforms.count; j++) {
        let bitsOfJ = normal(largest(magnitudeOf(group, thread, j)));
        let sum = total(productOf(group, thread, i, j, pair, bitsOfI, bitsOfJ));
        if (thread == 0) { ${write.product} }
        pair++;
      }
    }
  }
  fn magnitudeOf(group : i32, thread : i32, k : i32) -> u32 { ${magnitudeOf} }
  fn productOf(group : i32, thread : i32, i : i32, j : i32, pair : i32, bitsOfI : u32, bitsOfJ : u32) -> f32 {
    ${productOf}
  }`;
}

function gramianOfParts(value: string, write: typeof kept): string {
  return rowsAndPairs(
    // Bits of magnitudes are ordered as these are, NaN above infinity.
    `var bits = 0u;
    let end = min((group + 1) * ${chunk}, uniforms.length);
    for (var at = group * ${chunk} + thread; at < end; at += ${groupSize}) {
      bits = max(bits, bitcast<u32>(valueOf(k, at)) & 0x7fffffffu);
    }
    return bits;`,
    `let left = scaleOf(bitsOfI);
    let right = scaleOf(bitsOfJ);
    var sum = 0.0;
    let end = min((group + 1) * ${chunk}, uniforms.length);
    for (var at = group * ${chunk} + thread; at < end; at += ${groupSize}) {
      sum += (valueOf(i, at) * left) * (valueOf(j, at) * right);
    }
    return sum;`,
    write,
    `fn valueOf(k : i32, i : i32) -> f32 { ${value} }`,
  );
}

const sumOfParts = rowsAndPairs(
  `var bits = 0u;
  for (var part = thread; part < uniforms.parts_count; part += ${groupSize}) {
    bits = max(bits, bitsOf(part, k));
  }
  return bits;`,
  `let pairs = uniforms.count * (uniforms.count + 1) / 2;
  var sum = 0.0;
  for (var part = thread; part < uniforms.parts_count; part += ${groupSize}) {
    let left = scaleOf(bitsOfI) / scaleOf(bitsOf(part, i));
    let right = scaleOf(bitsOfJ) / scaleOf(bitsOf(part, j));
    sum += parts[part * (uniforms.count + pairs) + uniforms.count + pair] * left * right;
  }
  return sum;`,
  finished,
  `fn bitsOf(part : i32, k : i32) -> u32 {
    return bitcast<u32>(parts[part * (uniforms.count + uniforms.count * (uniforms.count + 1) / 2) + k]);
  }`,
);

/** `Σ weights[k] · row_k`. */
export const combineRows: WebGpuKernel = {
  name: 'CombineRows',
  run: ({ inputs, attrs }, gpu) => {
    const rows = rowsOf('CombineRows', inputs);
    const weights = weightsOf('CombineRows', attrs ?? {}, rows.length);
    return weightedSum(gpu, { rows, weights }, mostInputs(gpu));
  },
};

/** Rows and their weights. */
export interface WeightedRows {
  readonly rows: readonly TensorInfo[];
  readonly weights: readonly number[];
}

/** The weighted sum of rows, of which one shader reads at most `most`. */
export function weightedSum(
  gpu: WebGpu,
  { rows, weights }: WeightedRows,
  most: number,
): TensorInfo {
  let sum: TensorInfo | null = null;
  for (let next = 0; next < rows.length;) {
    const before: TensorInfo | null = sum;
    const end = Math.min(rows.length, next + most - (before === null ? 0 : 1));
    const some = rows.slice(next, end);
    const terms = termsOf({ rows: some, weights: weights.slice(next, end) });
    sum = elementwise(gpu, {
      name: `combine ${some.length} ${before === null ? 'new' : 'on top'}`,
      inputs: { ...terms.inputs, ...(before === null ? {} : { before }) },
      numbers: terms.numbers,
      shape: rows[0]!.shape,
      expression: before === null ? terms.sum : `before[index] + ${terms.sum}`,
    });
    if (before !== null) gpu.disposeData(before.dataId);
    next = end;
  }
  return sum!;
}

/** The weighted sum of rows as an expression, with its buffers and numbers. */
export function termsOf({ rows, weights }: WeightedRows): {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly numbers: Readonly<Record<string, number>>;
  readonly sum: string;
} {
  return {
    inputs: namedRows(rows),
    numbers: Object.fromEntries(weights.map((weight, k) => [`weight${k}`, weight])),
    sum: rows.map((_, k) => `uniforms.weight${k} * row${k}[index]`).join(' + '),
  };
}

function namedRows(rows: readonly TensorInfo[]): Record<string, TensorInfo> {
  return Object.fromEntries(rows.map((row, k) => [`row${k}`, row]));
}

/** All rows in one buffer, one behind the other. */
function joinedRows(rows: readonly TensorInfo[], backend: unknown): TensorInfo {
  const flat = rows.map((row) => ({ ...row, shape: [sizeOf(row.shape)] }));
  return getKernel('Concat', 'webgpu').kernelFunc({
    inputs: flat as never,
    backend: backend as never,
    attrs: { axis: 0 },
  }) as TensorInfo;
}
