import { MultigradError } from '@multigrad/core/strategy';

/**
 * How PyTorch stores the values of a TensorFlow.js variable.
 *
 * - `as-is`: the same axes; biases, batch norm, embeddings
 * - `kernel`: outputs first, space last: dense [out, in] for [in, out], convolutions [out, in, …space] for
 *   [...space, in, out], transposed convolutions [in, out, …space] for [...space, out, in]
 * - `depthwise`: [in · multiplier, 1, …space] for [...space, in, multiplier]
 * - `flattened`: a dense kernel behind the flattening of an image, which PyTorch flattens channels first:
 *   [out, channels · height · width] for [height · width · channels, out]
 */
export type TorchLayout =
  | 'as-is'
  | 'kernel'
  | 'depthwise'
  | { readonly flattened: readonly [channels: number, height: number, width: number] };

/** How PyTorch's axes become a variable's: the shape is cut into more axes, and those are put into another order. */
interface Plan {
  readonly torchShape: readonly number[];
  /** PyTorch's shape, cut into all axes that move separately. */
  readonly axes: readonly number[];
  /** The axis of `axes` that stands at each place in the variable. */
  readonly order: readonly number[];
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, k) => k);

function planOf(layout: TorchLayout, shape: readonly number[]): Plan | null {
  const rank = shape.length;
  if (layout === 'as-is') return { torchShape: shape, axes: shape, order: upTo(rank) };
  if (layout === 'kernel') {
    if (rank < 2) return null;
    const space = shape.slice(0, -2);
    const torchShape = [shape[rank - 1]!, shape[rank - 2]!, ...space];
    return { torchShape, axes: torchShape, order: [...upTo(rank - 2).map((k) => k + 2), 1, 0] };
  }
  if (layout === 'depthwise') {
    if (rank < 3) return null;
    const [inputs, multiplier] = [shape[rank - 2]!, shape[rank - 1]!];
    const space = shape.slice(0, -2);
    return {
      torchShape: [inputs * multiplier, 1, ...space],
      axes: [inputs, multiplier, ...space],
      order: [...upTo(rank - 2).map((k) => k + 2), 0, 1],
    };
  }
  const [channels, height, width] = layout.flattened;
  if (rank !== 2 || shape[0] !== channels * height * width) return null;
  return {
    torchShape: [shape[1]!, shape[0]],
    axes: [shape[1]!, channels, height, width],
    order: [2, 3, 1, 0],
  };
}

function permute(
  values: Float32Array,
  axes: readonly number[],
  order: readonly number[],
): Float32Array {
  const strides = axes.map((_, k) => axes.slice(k + 1).reduce((a, b) => a * b, 1));
  const sizes = order.map((axis) => axes[axis]!);
  const steps = order.map((axis) => strides[axis]!);
  const permuted = new Float32Array(values.length);
  const index = new Array<number>(sizes.length).fill(0);
  let from = 0;
  for (let to = 0; to < permuted.length; to += 1) {
    permuted[to] = values[from]!;
    for (let axis = sizes.length - 1; axis >= 0; axis -= 1) {
      index[axis]! += 1;
      from += steps[axis]!;
      if (index[axis]! < sizes[axis]!) break;
      from -= index[axis]! * steps[axis]!;
      index[axis] = 0;
    }
  }
  return permuted;
}

/** The plan, or an error that says why a variable of that shape has none. */
function planFor(name: string, layout: TorchLayout, shape: readonly number[]): Plan {
  const plan = planOf(layout, shape);
  if (plan !== null) return plan;
  throw new MultigradError(
    'invalid-option',
    `Layout ${JSON.stringify(layout)} of \`${name}\` should suit its shape. Found [${shape.join(', ')}].`,
  );
}

/** The shape in which PyTorch stores a variable of some shape. */
export function torchShapeOf(
  name: string,
  layout: TorchLayout,
  shape: readonly number[],
): readonly number[] {
  return planFor(name, layout, shape).torchShape;
}

/** Values as a variable of that shape holds them, from PyTorch's order. */
export function fromTorch(
  values: Float32Array,
  layout: TorchLayout,
  shape: readonly number[],
): Float32Array {
  const { axes, order } = planFor('variable', layout, shape);
  return permute(values, axes, order);
}

/** Values as PyTorch holds them, from those of a variable of that shape. */
export function toTorch(
  values: Float32Array,
  layout: TorchLayout,
  shape: readonly number[],
): Float32Array {
  const { axes, order } = planFor('variable', layout, shape);
  const back = upTo(order.length).map((axis) => order.indexOf(axis));
  return permute(
    values,
    order.map((axis) => axes[axis]!),
    back,
  );
}
