import {
  add,
  concat,
  div,
  eye,
  matMul,
  maximum,
  mul,
  onesLike,
  reshape,
  slice,
  square,
  sum,
  type Tensor,
  type Tensor2D,
  tidy,
} from '@tensorflow/tfjs-core';
import type { Gramian } from '../algebra/gramian.ts';
import { errorOfSums, smallest } from '../rows/gramian-of-rows.ts';
import { type Factors, gradientsOf, type Rows, rowsOf } from './factors.ts';
import { magnitude } from './places.ts';

/** How the inner products of one variable's per-sample gradients are computed. */
export type SampleWay =
  /** From inner products of the factors; no gradient is made. */
  | 'products'
  /** From the gradients of all samples, block by block. */
  | 'gradients'
  /** From gradients of which each sample took a backward step of its own. */
  | 'sample by sample';

/** Inner products of one variable's per-sample gradients on the device, before they are read. */
export interface PendingSampleGramian {
  /** Two bounds for each sample, then the inner products divided by them, row by row. */
  readonly packed: Tensor;
  readonly batch: number;
  /** Numbers in the longest sum. */
  readonly length: number;
  readonly way: SampleWay;
}

/** The most numbers that a block may have: 8 MiB. */
const largestBlock = 2 ** 21;

/**
 * Starts the Gramian `G_ij = ⟨g_i, g_j⟩` of the per-sample gradients of one variable, in the cheaper of two ways by counted
 * multiplications:
 *
 * - products: `Σ_{t,s} ⟨left_{i,t}, left_{j,s}⟩ ⟨right_{i,t}, right_{j,s}⟩`, without any gradient
 * - gradients: `g_i = Σ_t left_{i,t} ⊗ right_{i,t}`, some of its rows at a time, so that memory stays bounded
 *
 * @param forms - the gradients are the sums over these, one for each operation that uses the variable
 */
export function startSampleGramian(
  forms: readonly (Factors | Rows)[],
  batch: number,
  way: SampleWay | null = null,
): PendingSampleGramian {
  const factors = forms.filter((form): form is Factors => form.kind === 'factors');
  const [first] = factors;
  const alike = factors.every(
    ({ rows, columns }) => rows === first!.rows && columns === first!.columns,
  );
  if (first === undefined || !alike || factors.length < forms.length)
    return ofRows(forms, batch, way);
  const whole = factors.length === 1 ? first : together(factors);
  const { rows, columns, positions } = whole;
  const products = batch ** 2 * positions ** 2 * (rows + columns + 1);
  const gradients = batch * rows * columns * (positions + batch);
  const fits = batch * positions * (rows + columns) <= 8 * largestBlock;
  const chosen = way ?? (products <= gradients && fits ? 'products' : 'gradients');
  return tidy(() => {
    const leftBound = atLeast(whole.leftBound());
    const rightBound = atLeast(magnitude(whole.right(), [1, 2]));
    const gramian =
      chosen === 'products'
        ? byProducts(
            divided(whole.left(0, rows), leftBound),
            divided(whole.right(), rightBound),
            whole,
            batch,
          )
        : byGradients(whole, [leftBound, rightBound], batch);
    return {
      packed: concat([leftBound, rightBound, reshape(gramian, [batch * batch])]),
      batch,
      length: chosen === 'products' ? rows + columns + positions : positions + rows * columns,
      way: chosen,
    };
  });
}

function byProducts(
  left: Tensor,
  right: Tensor,
  { positions, rows, columns }: Factors,
  batch: number,
): Tensor {
  const lefts = reshape(left, [batch * positions, rows]);
  const rights = reshape(right, [batch * positions, columns]);
  const most = Math.max(1, Math.floor(largestBlock / (positions ** 2 * batch)));
  const blocks: Tensor[] = [];
  for (let begin = 0; begin < batch; begin += most) {
    const count = Math.min(most, batch - begin);
    blocks.push(
      tidy(() => {
        const some = (of: Tensor): Tensor2D =>
          slice(of as Tensor2D, [begin * positions, 0], [count * positions, of.shape[1]!]);
        const both = mul(
          matMul(some(lefts), lefts as Tensor2D, false, true),
          matMul(some(rights), rights as Tensor2D, false, true),
        );
        return positions === 1
          ? both
          : sum(reshape(both, [count, positions, batch, positions]), [1, 3]);
      }),
    );
  }
  return blocks.length === 1 ? blocks[0]! : concat(blocks, 0);
}

/** Gradients that are the sums over several uses: a use has its own positions. */
function together(factors: readonly Factors[]): Factors {
  const [first] = factors;
  return {
    kind: 'factors',
    rows: first!.rows,
    columns: first!.columns,
    positions: factors.reduce((total, one) => total + one.positions, 0),
    left: (begin, end) =>
      concat(
        factors.map((one) => one.left(begin, end)),
        1,
      ),
    right: () =>
      concat(
        factors.map((one) => one.right()),
        1,
      ),
    leftBound: () => factors.map((one) => one.leftBound()).reduce((a, b) => maximum(a, b)),
  };
}

function byGradients(factors: Factors, bounds: readonly Tensor[], batch: number): Tensor {
  const { positions, rows, columns } = factors;
  const right = factors.right();
  const most = Math.max(1, Math.floor(largestBlock / (batch * (columns + positions))));
  let total: Tensor | null = null;
  for (let begin = 0; begin < rows; begin += most) {
    const end = Math.min(rows, begin + most);
    const products = tidy(() => {
      const some = gradientsOf(factors, begin, end, right);
      const gradients = bounds.reduce(
        (value, bound) => divided(value, bound),
        reshape(some, [batch, (end - begin) * columns]),
      );
      return matMul(gradients as Tensor2D, gradients as Tensor2D, false, true);
    });
    const before: Tensor | null = total;
    total = before === null ? products : add(before, products);
    before?.dispose();
    if (before !== null) products.dispose();
  }
  return total!;
}

function ofRows(
  forms: readonly (Factors | Rows)[],
  batch: number,
  way: SampleWay | null,
): PendingSampleGramian {
  return tidy(() => {
    const rows = forms.map((form) => rowsOf(form)).reduce((a, b) => add(a, b));
    const bound = atLeast(magnitude(rows, [1]));
    const scaled = divided(rows, bound) as Tensor2D;
    const gramian = matMul(scaled, scaled, false, true);
    return {
      packed: concat([bound, onesLike(bound), reshape(gramian, [batch * batch])]),
      batch,
      length: rows.shape[1]!,
      way: way ?? 'gradients',
    };
  });
}

/** The Gramian of gradients of which each sample has numbers of its own, [batch, size]: a diagonal matrix. */
export function startOwnGramian(rows: () => Tensor, batch: number): PendingSampleGramian {
  return tidy(() => {
    const gradients = rows();
    const bound = atLeast(magnitude(gradients, [1]));
    const squares = sum(square(divided(gradients, bound)), 1);
    const diagonal = mul(reshape(squares, [batch, 1]), eye(batch));
    return {
      packed: concat([bound, onesLike(bound), reshape(diagonal, [batch * batch])]),
      batch,
      length: gradients.shape[1]!,
      way: 'products' as const,
    };
  });
}

/**
 * Makes a float64 Gramian from the values read.
 *
 * @param factors - what each sample's gradient is multiplied by
 * @returns the Gramian, NaN on the diagonal of samples whose gradients are not finite
 */
export function finishSampleGramian(
  { batch, length }: PendingSampleGramian,
  values: Float32Array,
  factor: number,
): Gramian {
  const bounds = Float64Array.from(
    { length: batch },
    (_, sample) => values[sample]! * values[batch + sample]! * factor,
  );
  const gramian = new Float64Array(batch * batch);
  for (let i = 0; i < batch; i += 1) {
    for (let j = i; j < batch; j += 1) {
      const value = values[batch * (2 + i) + j]! * bounds[i]! * bounds[j]!;
      gramian[i * batch + j] = value;
      gramian[j * batch + i] = value;
    }
  }
  return { size: batch, values: gramian, relativeError: errorOfSums(length) };
}

/** At least the smallest normal number, so that it can be divided by. */
function atLeast(bound: Tensor): Tensor {
  return maximum(bound, smallest());
}

function divided(value: Tensor, bound: Tensor): Tensor {
  return div(value, reshape(bound, [bound.size, ...value.shape.slice(1).map(() => 1)]));
}
