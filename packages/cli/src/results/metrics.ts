import { mean } from '../shared/statistics.ts';

// The measures by which the field compares strategies. Larger scores are better.

/**
 * Δm: the mean relative gain over single-task baselines, in percent, `100/T · Σ_t (M_t − B_t)/|B_t|`.
 *
 * @param scores - of the T tasks, larger is better; those of which less is better are negative
 * @param baselines - of each task when it is trained alone, not 0
 *
 * @see Maninis, Radosavovic and Kokkinos, "Attentive Single-Tasking of Multiple Tasks", CVPR 2019
 * (https://arxiv.org/abs/1904.08918), section 4
 */
export function relativeGain(scores: readonly number[], baselines: readonly number[]): number {
  return (
    100 * mean(scores.map((score, task) => (score - baselines[task]!) / Math.abs(baselines[task]!)))
  );
}

/**
 * The mean rank of each row over the columns, 1 for the best (largest) score; rows that tie, to twelve digits, share the mean of
 * their ranks.
 *
 * @param scores - rows are strategies, columns tasks
 */
export function meanRanks(scores: readonly (readonly number[])[]): number[] {
  return scores.map((row) =>
    mean(
      row.map((score, column) => {
        // Means of the same scores added up in another order differ in the last digit.
        const ties = (other: number): boolean =>
          other === score || Math.abs(other - score) <= 1e-12 * Math.abs(score);
        const equal = scores.filter((other) => ties(other[column]!)).length;
        const better = scores.filter(
          (other) => other[column]! > score && !ties(other[column]!),
        ).length;
        return better + (equal + 1) / 2;
      }),
    ),
  );
}

/**
 * The hypervolume of some points: the volume of all that lies between the origin and at least one of them.
 *
 * Computed slice by slice along the last coordinate, exact in any dimension and for few points.
 *
 * @param points - coordinates >= 0, larger is better
 *
 * @see Zitzler and Thiele, "Multiobjective optimization using evolutionary algorithms: a comparative case study", PPSN
 * 1998
 */
export function hypervolume(points: readonly (readonly number[])[]): number {
  if (points.length === 0) return 0;
  if (points[0]!.length === 1) return Math.max(...points.map(([only]) => only!));
  const height = (point: readonly number[]): number => point.at(-1)!;
  const ordered = [...points].sort((a, b) => height(b) - height(a));
  let volume = 0;
  ordered.forEach((point, index) => {
    const next = ordered[index + 1];
    const thickness = height(point) - (next === undefined ? 0 : height(next));
    if (thickness > 0) {
      volume += thickness * hypervolume(ordered.slice(0, index + 1).map((one) => one.slice(0, -1)));
    }
  });
  return volume;
}
