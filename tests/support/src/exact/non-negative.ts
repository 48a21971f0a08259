import { solveExactly } from './linear.ts';
import { type ExactVector, reduceExactly } from './numbers.ts';

/**
 * `argmin ½ xᵀ H x − bᵀ x` over x >= 0 without rounding, for a positive semi-definite H of whole numbers and a b in its
 * range (Lawson and Hanson).
 *
 * @throws Error where the optimality conditions do not hold of what was found: b is not in the range of H
 */
export function solveNonNegativeExactly(
  matrix: readonly (readonly bigint[])[],
  vector: readonly bigint[],
): ExactVector {
  const size = vector.length;
  let inside: number[] = [];
  let solution: ExactVector = { numerators: vector.map(() => 0n), denominator: 1n };
  for (;;) {
    const slopes = descents(matrix, vector, solution);
    const candidate = steepest(slopes, matrix, inside);
    if (candidate < 0) {
      checkOptimal(solution, slopes);
      return solution;
    }
    inside.push(candidate);
    for (;;) {
      const solved = solveExactly(
        inside.map((i) => [...inside.map((j) => matrix[i]![j]!), vector[i]!]),
      );
      if (solved === null) throw new Error(`Row ${candidate} depends on ${inside.join(', ')}.`);
      const target = new Array<bigint>(size).fill(0n);
      inside.forEach((index, at) => (target[index] = solved.numerators[at]!));
      if (inside.every((index) => target[index]! > 0n)) {
        solution = reduceExactly({ numerators: target, denominator: solved.denominator });
        break;
      }
      solution = reduceExactly(
        towards(solution, { numerators: target, denominator: solved.denominator }, inside),
      );
      const { numerators } = solution;
      inside = inside.filter((index) => numerators[index]! > 0n);
    }
  }
}

/** `b − H x`, times the denominator of x. */
function descents(
  matrix: readonly (readonly bigint[])[],
  vector: readonly bigint[],
  { numerators, denominator }: ExactVector,
): bigint[] {
  return matrix.map((row, i) =>
    row.reduce((sum, value, j) => sum - value * numerators[j]!, vector[i]! * denominator),
  );
}

function steepest(
  slopes: readonly bigint[],
  matrix: readonly (readonly bigint[])[],
  inside: readonly number[],
): number {
  let best = -1;
  slopes.forEach((slope, i) => {
    if (slope <= 0n || inside.includes(i)) return;
    // Squared slopes over squared lengths.
    if (best >= 0 && slope ** 2n * matrix[best]![best]! <= slopes[best]! ** 2n * matrix[i]![i]!)
      return;
    best = i;
  });
  return best;
}

/** The point on the way from x to the target at which the first of those inside is zero. */
function towards(x: ExactVector, target: ExactVector, inside: readonly number[]): ExactVector {
  // Step n / d, the least of x_k / (x_k − target_k).
  let step: { n: bigint; d: bigint } | null = null;
  for (const k of inside) {
    if (target.numerators[k]! > 0n) continue;
    const n = x.numerators[k]! * target.denominator;
    const d = n - target.numerators[k]! * x.denominator;
    const zero = d === 0n ? { n: 0n, d: 1n } : { n, d };
    if (step === null || zero.n * step.d < step.n * zero.d) step = zero;
  }
  const { n, d } = step!;
  return {
    numerators: x.numerators.map(
      (value, k) =>
        value * (d - n) * target.denominator + n * target.numerators[k]! * x.denominator,
    ),
    denominator: d * x.denominator * target.denominator,
  };
}

function checkOptimal({ numerators }: ExactVector, slopes: readonly bigint[]): void {
  const wrong = slopes.findIndex((slope, k) => slope > 0n || (numerators[k]! > 0n && slope !== 0n));
  if (wrong >= 0) throw new Error(`The optimality conditions do not hold at ${wrong}.`);
}
