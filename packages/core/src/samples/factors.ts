import {
  abs,
  backend_util as conv,
  concat,
  matMul,
  max,
  mul,
  pad,
  reshape,
  slice,
  step as positive,
  stridedSlice,
  sum,
  type Tensor,
  type Tensor4D,
  transpose,
} from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { KernelCall } from '../tape/tape-internals.ts';
import { operationOf } from './operation.ts';
import { type Place, samplesFirst, sampleAxis, sizeOf } from './places.ts';
import { nameWithin, type Use } from './trace.ts';

/**
 * Per-sample gradients of a matrix as sums of outer products, `g_i = Σ_t left_{i,t} ⊗ right_{i,t}`, with `rows × columns`
 * numbers each: of a dense layer the input and the gradient of the output, with one position t; of a convolution the
 * patches and the gradient of the output, with a position for each pixel of the output.
 */
export interface Factors {
  readonly kind: 'factors';
  readonly positions: number;
  readonly rows: number;
  readonly columns: number;
  /** [batch, positions, end − begin]: some rows. Made anew at each call; the tidy around owns it. */
  readonly left: (begin: number, end: number) => Tensor;
  /** [batch, positions, columns]. */
  readonly right: () => Tensor;
  /** [batch]: bounds of the magnitudes in `left`. */
  readonly leftBound: () => Tensor;
}

/** Per-sample gradients themselves, [batch, size]: where there are few numbers, or no other form is known. */
export interface Rows {
  readonly kind: 'rows';
  readonly rows: () => Tensor;
}

/** Per-sample gradients themselves, [batch, size], of either form. The tidy around owns them. */
export function rowsOf(form: Factors | Rows): Tensor {
  if (form.kind === 'rows') return form.rows();
  const gradients = matMul(form.left(0, form.rows), form.right(), true, false);
  return reshape(gradients, [gradients.shape[0], form.rows * form.columns]);
}

/** Finds the value of a tensor of the forward pass; null where nothing kept it. */
export type ValueOf = (tensor: Tensor) => Tensor | null;

/**
 * The per-sample gradients of the tensor that an operation uses.
 *
 * @param delta - the gradient of the operation's output, of the sum of all losses
 * @returns null where no form is known for this operation
 */
export function formOfUse(use: Use, delta: Tensor, valueOf: ValueOf): Factors | Rows | null {
  const call = operationOf(use.node);
  if (call === null) return null;
  const input = nameWithin(call.inputs, use.input, use.tensor);
  const forms = input === undefined ? undefined : formsByKernel.get(call.kernel);
  if (forms === undefined) return null;
  return forms({ call, input: input!, use, delta, valueOf });
}

interface Context {
  readonly call: KernelCall;
  readonly input: string;
  readonly use: Use;
  readonly delta: Tensor;
  readonly valueOf: ValueOf;
}

type Form = (context: Context) => Factors | Rows | null;

/** `y = a b`, with `b` the same for all samples. */
const ofProduct: Form = ({ call, input, use, delta, valueOf }) => {
  const { a, b } = call.inputs as { a: Tensor; b: Tensor };
  const { transposeA, transposeB } = call.attributes;
  const [rows, columns] = matrixOf(b.shape, transposeB === true);
  // Samples along the columns of `a b`, or several matrices `b`.
  const plain =
    transposeA !== true && sizeOf(b.shape) === rows * columns && use.place.inner % columns === 0;
  const x = valueOf(a);
  if (input !== 'b' || !plain || x === null || x.size / rows !== delta.size / columns) return null;
  const { inner, batch } = use.place;
  const own: Place = { inner: (inner / columns) * rows, batch };
  const positions = delta.size / (batch * columns);
  const inputs = (begin: number, end: number): Tensor => {
    const whole = samplesFirst(x, own, rows);
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
    leftBound: () => bound(x, own),
  };
  return transposeB === true ? transposed(factors) : factors;
};

/** The per-sample gradients of the transposed matrix. */
export function transposed({ positions, rows, columns, left, right }: Factors): Factors {
  return {
    kind: 'factors',
    positions,
    rows: columns,
    columns: rows,
    left: (begin, end) => part(right(), begin, end),
    right: () => left(0, rows),
    leftBound: () => max(abs(right()), [1, 2]),
  };
}

/** The largest magnitude of each sample. */
function bound(value: Tensor, { inner, batch }: Place): Tensor {
  return max(abs(reshape(value, [value.size / (inner * batch), batch, inner])), [0, 2]);
}

function matrixOf(shape: readonly number[], turned: boolean): readonly [number, number] {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return turned ? [columns, rows] : [rows, columns];
}

/** [batch, positions, end − begin] of [batch, positions, …]. */
function part(whole: Tensor, begin: number, end: number): Tensor {
  const [batch, positions, size] = whole.shape as [number, number, number];
  if (begin === 0 && end === size) return whole;
  return slice(whole, [0, 0, begin], [batch, positions, end - begin]);
}

/** `y = conv2d(x, filter)`: row `(ky · width + kx) · channels + c` of the filter meets channel c of the shifted input. */
const ofConvolution: Form = ({ call, input, use, delta, valueOf }) => {
  const { x, filter } = call.inputs as { x: Tensor; filter: Tensor };
  const {
    strides,
    pad: padding,
    dilations = 1,
    dataFormat = 'NHWC',
    dimRoundingMode,
  } = call.attributes;
  const value = valueOf(x);
  if (input !== 'filter' || dataFormat !== 'NHWC' || value?.rank !== 4) return null;
  const info = conv.computeConv2DInfo(
    value.shape as [number, number, number, number],
    filter.shape as [number, number, number, number],
    strides as [number, number],
    dilations as [number, number],
    padding as 'same',
    dimRoundingMode as 'floor' | undefined,
  );
  const { inChannels, outChannels, outHeight, outWidth, filterHeight, filterWidth } = info;
  const { top, bottom, left, right } = info.padInfo;
  const { inner, batch } = use.place;
  // Pictures of a sample must be neighbours.
  if (inner * batch !== delta.size) return null;
  const positions = inner / outChannels;
  const shifted = (padded: Tensor, offset: number, begin: number, end: number): Tensor => {
    const y = Math.floor(offset / filterWidth) * info.dilationHeight;
    const xx = (offset % filterWidth) * info.dilationWidth;
    const taken = stridedSlice(
      padded,
      [0, y, xx, begin],
      [
        padded.shape[0],
        y + (outHeight - 1) * info.strideHeight + 1,
        xx + (outWidth - 1) * info.strideWidth + 1,
        end,
      ],
      [1, info.strideHeight, info.strideWidth, 1],
    );
    return reshape(taken, [batch, positions, end - begin]);
  };
  return {
    kind: 'factors',
    positions,
    rows: filterHeight * filterWidth * inChannels,
    columns: outChannels,
    left: (begin, end) => {
      const padded =
        top + bottom + left + right === 0
          ? value
          : pad(value as Tensor4D, [
              [0, 0],
              [top, bottom],
              [left, right],
              [0, 0],
            ]);
      const pieces: Tensor[] = [];
      for (let at = begin; at < end;) {
        const offset = Math.floor(at / inChannels);
        const last = Math.min(end, (offset + 1) * inChannels);
        pieces.push(shifted(padded, offset, at - offset * inChannels, last - offset * inChannels));
        at = last;
      }
      return pieces.length === 1 ? pieces[0]! : concat(pieces, 2);
    },
    right: () => reshape(delta, [batch, positions, outChannels]),
    leftBound: () => bound(value, { inner: value.size / batch, batch }),
  };
};

/** An operand that is repeated over samples: `g_i = Σ_positions slope ⊙ δ`, summed where the operand is repeated. */
const repeated =
  (slope: (context: Context) => Tensor): Form =>
  (context) => {
    const { tensor, place, node } = context.use;
    const { shape } = node.outputs[0]!;
    const axis = sampleAxis(shape, place);
    if (axis === null) return null;
    const { batch } = place;
    const rows = (): Tensor => {
      const before = shape.slice(0, axis.axis);
      const after = shape.slice(axis.axis + 1);
      const outer = shape[axis.axis]! / (batch * axis.within);
      const apart = reshape(slope(context), [...before, outer, batch, axis.within, ...after]);
      const missing = shape.length - tensor.shape.length;
      const isRepeated = (of: number): boolean => of < missing || tensor.shape[of - missing] === 1;
      const kept = [...before.keys()].filter((of) => !isRepeated(of));
      const gone = [
        ...[...before.keys()].filter(isRepeated),
        axis.axis,
        axis.axis + 2,
        ...[...after.keys()]
          .filter((k) => isRepeated(axis.axis + 1 + k))
          .map((k) => axis.axis + 3 + k),
      ];
      const totals = sum(apart, gone);
      const first = kept.length;
      const others = [...totals.shape.keys()].filter((of) => of !== first);
      return reshape(first === 0 ? totals : transpose(totals, [first, ...others]), [
        batch,
        tensor.size,
      ]);
    };
    return { kind: 'rows', rows };
  };

const sumOf: Form = repeated(({ delta }) => delta);
const minusSecond: Form = repeated(({ input, delta }) => (input === 'b' ? mul(delta, -1) : delta));

/** `y = a ⊙ b`. */
const ofMultiplication: Form = (context) => {
  const { call, input, delta, valueOf } = context;
  const other = valueOf((input === 'a' ? call.inputs['b'] : call.inputs['a'])!);
  return other === null ? null : repeated(() => mul(delta, other))(context);
};

/** A convolution or a product with a bias and an activation in one kernel: what they do to the sum comes first. */
const fused =
  (ofKernel: Form): Form =>
  (context) => {
    const { call, input, use, valueOf } = context;
    const activation = call.attributes['activation'] ?? 'linear';
    let { delta } = context;
    if (activation === 'relu') {
      const y = valueOf(use.node.outputs[0]!);
      if (y === null) return null;
      delta = mul(delta, positive(y));
    } else if (activation !== 'linear') {
      return null;
    }
    return (input === 'bias' ? sumOf : ofKernel)({ ...context, delta });
  };

const formsByKernel: ReadonlyMap<string, Form> = new Map<string, Form>([
  [tf.BatchMatMul, ofProduct],
  [tf._FusedMatMul, fused(ofProduct)],
  [tf.Conv2D, ofConvolution],
  [tf.FusedConv2D, fused(ofConvolution)],
  [tf.Add, sumOf],
  [tf.Sub, minusSecond],
  [tf.Multiply, ofMultiplication],
]);
