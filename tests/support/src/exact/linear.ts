import type { ExactVector } from './numbers.ts';

/** Solves a system `[A | b]` of whole numbers without rounding (Bareiss, then Jordan); null where A is singular. */
export function solveExactly(system: readonly (readonly bigint[])[]): ExactVector | null {
  let rows = system;
  let previous = 1n;
  for (let k = 0; k < rows.length; k += 1) {
    const pivotRow = rows.findIndex((row, i) => i >= k && row[k] !== 0n);
    if (pivotRow < 0) return null;
    const ordered = [...rows];
    [ordered[k], ordered[pivotRow]] = [ordered[pivotRow]!, ordered[k]!];
    const pivot = ordered[k]!;
    rows = ordered.map((row, i) =>
      i === k ? row : row.map((value, j) => (pivot[k]! * value - row[k]! * pivot[j]!) / previous),
    );
    previous = pivot[k]!;
  }
  // The diagonal is the last pivot throughout.
  const sign = previous < 0n ? -1n : 1n;
  return { numerators: rows.map((row) => sign * row.at(-1)!), denominator: sign * previous };
}
