import { matMul, reshape, slice, type Tensor } from '@tensorflow/tfjs-core';
import type { ValueOf } from '../tape/saved-values.ts';
import type { KernelCall } from '../tape/tape-internals.ts';
import { magnitude, type Place } from './places.ts';
import type { Use } from './trace.ts';

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
  /** The same as [batch, end − begin, positions], where that is cheaper to make. */
  readonly leftTurned?: (begin: number, end: number) => Tensor;
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
  const gradients = gradientsOf(form, 0, form.rows, form.right());
  return reshape(gradients, [gradients.shape[0], form.rows * form.columns]);
}

/** Some rows of the per-sample gradients, [batch, end − begin, columns]. The tidy around owns them. */
export function gradientsOf(form: Factors, begin: number, end: number, right: Tensor): Tensor {
  return form.leftTurned === undefined
    ? matMul(form.left(begin, end), right, true, false)
    : matMul(form.leftTurned(begin, end), right);
}

/** An operation that uses a whole tensor, with the gradient of its output. */
export interface Context {
  readonly call: KernelCall;
  readonly input: string;
  readonly use: Use;
  readonly delta: Tensor;
  readonly valueOf: ValueOf;
  readonly keep: (make: () => Tensor) => Tensor;
}

/** Finds the per-sample gradients of the tensor that an operation uses; null where it cannot. */
export type Form = (context: Context) => Factors | Rows | null;

/** The per-sample gradients of the transposed matrix. */
export function transposed({ positions, rows, columns, left, right }: Factors): Factors {
  return {
    kind: 'factors',
    positions,
    rows: columns,
    columns: rows,
    left: (begin, end) => part(right(), begin, end),
    right: () => left(0, rows),
    leftBound: () => magnitude(right(), [1, 2]),
  };
}

/** The largest magnitude of each sample. */
export function bound(value: Tensor, { inner, batch }: Place): Tensor {
  return magnitude(reshape(value, [value.size / (inner * batch), batch, inner]), [0, 2]);
}

/** [batch, positions, end − begin] of [batch, positions, …]. */
export function part(whole: Tensor, begin: number, end: number): Tensor {
  const [batch, positions, size] = whole.shape as [number, number, number];
  if (begin === 0 && end === size) return whole;
  return slice(whole, [0, 0, begin], [batch, positions, end - begin]);
}
