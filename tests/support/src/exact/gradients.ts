import { solveNonNegativeExactly } from './non-negative.ts';
import { type ExactVector, exactVector, reduceExactly } from './numbers.ts';

/** K gradients without rounding. */
export interface ExactGradients {
  /** K rows of P numbers. */
  readonly rows: readonly ExactVector[];
  /** Their inner products, K × K whole numbers, times the square of the rows' common denominator. */
  readonly gramian: readonly (readonly bigint[])[];
}

/** Gradients of finite doubles as what they are to the last bit. */
export function exactGradients(jacobian: readonly ArrayLike<number>[]): ExactGradients {
  const columns = jacobian[0]!.length;
  // All entries at once, so that the rows share a denominator.
  const { numerators, denominator } = exactVector(jacobian.flatMap((row) => Array.from(row)));
  const whole = jacobian.map((_, k) => numerators.slice(k * columns, (k + 1) * columns));
  return {
    rows: whole.map((row) => ({ numerators: row, denominator })),
    gramian: whole.map((a) =>
      whole.map((b) => a.reduce((sum, value, c) => sum + value * b[c]!, 0n)),
    ),
  };
}

/** The update `Σ_k w_k g_k`, P numbers. */
export function combineExactly({ rows }: ExactGradients, weights: ExactVector): ExactVector {
  const [first] = rows;
  return {
    numerators: first!.numerators.map((_, c) =>
      rows.reduce((sum, row, k) => sum + weights.numerators[k]! * row.numerators[c]!, 0n),
    ),
    denominator: weights.denominator * first!.denominator,
  };
}

/**
 * Weights of the vector nearest to `Σ_k u_k g_k` that conflicts with no gradient: `v >= u` with `G v >= 0`, and
 * `(G v)_k = 0` where `v_k > u_k`. Where gradients depend on each other the vector is unique and the weights are not.
 */
export function projectOntoDualConeExactly(
  { gramian }: ExactGradients,
  u: ExactVector,
): ExactVector {
  const start = u.numerators;
  const slopes = gramian.map((row) => -row.reduce((sum, value, j) => sum + value * start[j]!, 0n));
  const { numerators, denominator } = solveNonNegativeExactly(gramian, slopes);
  return reduceExactly({
    numerators: start.map((value, k) => value * denominator + numerators[k]!),
    denominator: u.denominator * denominator,
  });
}

/** Convex weights of the shortest vector in the hull of the gradients. */
export function minNormPointExactly({ gramian }: ExactGradients): ExactVector {
  // Up to a factor the minimiser of vᵀ G v + (1 · v − 1)² over v >= 0.
  const matrix = gramian.map((row) => row.map((value) => value + 1n));
  const { numerators } = solveNonNegativeExactly(
    matrix,
    gramian.map(() => 1n),
  );
  return reduceExactly({ numerators, denominator: numerators.reduce((sum, value) => sum + value) });
}
