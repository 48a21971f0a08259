/** The geometry of a pooling of [batch, depth, rows, columns, channels]; in two dimensions depth is 1. */
export interface PoolGeometry {
  readonly batch: number;
  readonly channels: number;
  /** Depth, rows and columns of the input; all fields below have the same order. */
  readonly input: readonly [number, number, number];
  readonly output: readonly [number, number, number];
  readonly kernel: readonly [number, number, number];
  readonly strides: readonly [number, number, number];
  /** The padding before the first number of each axis. */
  readonly before: readonly [number, number, number];
}

/**
 * The gradient of average pooling: each output's gradient is shared equally by the inputs of its window that lie inside
 * the array.
 */
export function averagePoolGradient(dy: Float32Array, pool: PoolGeometry): Float64Array {
  const dx = new Float64Array(inputSize(pool));
  eachWindow(pool, (output, inputs) => {
    for (const input of inputs) {
      for (let c = 0; c < pool.channels; c += 1) dx[input + c]! += dy[output + c]! / inputs.length;
    }
  });
  return dx;
}

/** The gradient of maximum pooling: each output's gradient is added at the first maximum of its window. */
export function maxPoolGradient(
  x: Float32Array,
  dy: Float32Array,
  pool: PoolGeometry,
): Float64Array {
  const dx = new Float64Array(inputSize(pool));
  eachWindow(pool, (output, inputs) => {
    for (let c = 0; c < pool.channels && inputs.length > 0; c += 1) {
      let best = inputs[0]!;
      for (const input of inputs) if (x[input + c]! > x[best + c]!) best = input;
      dx[best + c]! += dy[output + c]!;
    }
  });
  return dx;
}

function inputSize({ batch, channels, input: [depth, rows, columns] }: PoolGeometry): number {
  return batch * depth * rows * columns * channels;
}

/** Calls `visit` for each window, with the offsets of the output's first channel and of the inputs inside the array. */
function eachWindow(
  { batch, channels, input, output, kernel, strides, before }: PoolGeometry,
  visit: (output: number, inputs: readonly number[]) => void,
): void {
  const inside = (axis: 0 | 1 | 2, at: number): [number, number] => {
    const begin = at * strides[axis] - before[axis];
    return [Math.max(0, begin), Math.min(input[axis], begin + kernel[axis])];
  };
  let at = 0;
  for (let n = 0; n < batch; n += 1) {
    for (let d = 0; d < output[0]; d += 1) {
      const [front, back] = inside(0, d);
      for (let i = 0; i < output[1]; i += 1) {
        const [top, bottom] = inside(1, i);
        for (let j = 0; j < output[2]; j += 1, at += channels) {
          const [left, right] = inside(2, j);
          const inputs: number[] = [];
          for (let u = front; u < back; u += 1) {
            for (let v = top; v < bottom; v += 1) {
              const row = ((n * input[0] + u) * input[1] + v) * input[2];
              for (let w = left; w < right; w += 1) inputs.push((row + w) * channels);
            }
          }
          visit(at, inputs);
        }
      }
    }
  }
}
