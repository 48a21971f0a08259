/** A group's objectives and their weights. */
export interface GroupWeights {
  readonly key: string;
  /** Indices of objectives. */
  readonly objectives: readonly number[];
  readonly weights: Float64Array;
}

/** One scalar loss whose gradient is each group's update up to a factor. */
export interface OneScalar {
  /** The loss: a weight for each objective. */
  readonly weights: Float64Array;
  /** The factor of each group's gradient, by key. */
  readonly factors: ReadonlyMap<string, number>;
}

/** The largest factor: with a larger one the gradients of the backward pass come near the limits of float32. */
const largestFactor = 2 ** 20;

/**
 * Finds the scalar loss `Σ_k c_k L_k` and the factors s with `s_G c_k = w_Gk` for all groups G.
 *
 * Groups that share objectives are matched one after the other. A head that keeps its plain gradient is a group with one
 * weight of 1: where its objective has the coefficient c_k, its factor is 1 / c_k. A group whose weights are all zero has the
 * factor 0.
 *
 * @returns null where no scalar loss expresses the weights
 */
export function oneScalar(groups: readonly GroupWeights[], size: number): OneScalar | null {
  // Objectives without a weight get 1: their groups have the factor 0, and their variables an update of zeros.
  const weights = new Float64Array(size).fill(1);
  const known = new Set<number>();
  const factors = new Map<string, number>();
  const left = new Set(groups);
  for (const group of groups) {
    if (group.weights.some((weight) => weight !== 0)) continue;
    factors.set(group.key, 0);
    left.delete(group);
  }
  while (left.size > 0) {
    const next = nextGroup(left, known);
    left.delete(next);
    const factor = factorOf(next, weights, known);
    if (factor === null) return null;
    factors.set(next.key, factor);
    next.objectives.forEach((objective, k) => {
      if (!known.has(objective)) weights[objective] = next.weights[k]! / factor;
      known.add(objective);
    });
  }
  return { weights, factors };
}

/** The next group to match: the largest of those that share a known objective, else the largest of all. */
function nextGroup(left: ReadonlySet<GroupWeights>, known: ReadonlySet<number>): GroupWeights {
  const rank = ({ objectives }: GroupWeights): number =>
    (objectives.some((objective) => known.has(objective)) ? 1e6 : 0) + objectives.length;
  return [...left].reduce((best, group) => (rank(group) > rank(best) ? group : best));
}

function factorOf(
  { objectives, weights }: GroupWeights,
  found: Float64Array,
  known: ReadonlySet<number>,
): number | null {
  const shared = [...objectives.keys()].filter((k) => known.has(objectives[k]!));
  const settling = shared.find((k) => weights[k] !== 0);
  const factor = settling === undefined ? 1 : weights[settling]! / found[objectives[settling]!]!;
  if (!(Math.abs(factor) >= 1 / largestFactor && Math.abs(factor) <= largestFactor)) return null;
  const same = shared.every(
    (k) =>
      Math.abs(factor * found[objectives[k]!]! - weights[k]!) <= 2 ** -50 * Math.abs(weights[k]!),
  );
  return same ? factor : null;
}
