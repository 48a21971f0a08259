import type { IntegratedMatrix } from '@multigrad/core/strategy';
import type { Matrix, Taken } from './steps.ts';

/** `⟨a, b⟩`. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let c = 0; c < a.length; c += 1) sum += a[c]! * b[c]!;
  return sum;
}

/** `|a|`, whatever its scale. */
export function norm(a: ArrayLike<number>): number {
  return Math.hypot(...Array.from(a));
}

/** The cosine of two vectors whatever their scale; 0 where one is zero. */
export function cosineOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const unit = (vector: ArrayLike<number>): number[] => {
    const values = Array.from(vector);
    // Divide by the largest first: 1 / |a| could overflow.
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    const scaled = values.map((value) => value / largest);
    const length = norm(scaled) || 1;
    return scaled.map((value) => value / length);
  };
  return dot(unit(a), unit(b));
}

/**
 * The size that rounding in an update is relative to: that of its parts, which may cancel out, and a millionth of the
 * gradients, in case sums of them cancelled when the weights were found.
 */
export function sizeOf({ weights, update }: IntegratedMatrix, rows: Matrix): number {
  const lengths = rows.map(norm);
  const parts = lengths.reduce((sum, length, k) => sum + Math.abs(weights[k]!) * length, 0);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return Math.max(parts, norm(update), 1e-6 * total);
}

/** `|a − b|`. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return norm(Array.from(a, (value, c) => value - b[c]!));
}

/** The first difference between two runs, compared to the last bit; undefined where there is none. */
export function difference(
  found: readonly Taken[],
  expected: readonly Taken[],
): string | undefined {
  for (const [at, { result, next }] of found.entries()) {
    const other = expected[at]!;
    if (!same(result.weights, other.result.weights)) {
      return `At step ${at} the weights are [${result.weights.join(', ')}] and [${other.result.weights.join(', ')}].`;
    }
    if (!same(result.update, other.result.update)) {
      return `At step ${at} the updates are [${result.update.join(', ')}] and [${other.result.update.join(', ')}].`;
    }
    const [state, otherState] = [JSON.stringify(next.state), JSON.stringify(other.next.state)];
    if (state !== otherState) return `After step ${at} the states are ${state} and ${otherState}.`;
  }
  return undefined;
}

function same(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, k) => value === b[k]);
}
