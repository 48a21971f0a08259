/**
 * The Gramian G = J Jᵀ of K gradients: G_ij = ⟨g_i, g_j⟩, with the relative error it carries.
 *
 * `|G_ij − ⟨g_i, g_j⟩| ≤ relativeError · |g_i| |g_j|` for the gradients as they were computed. Decisions about rank and
 * stationarity compare with this error, never with an absolute number, so results hold at every scale. It is set where a
 * Gramian is made: for tensors in `rows/gramian-of-rows.ts`, for arrays of numbers in `gramian-of.ts`.
 */
export interface Gramian {
  /** K, the number of gradients. */
  readonly size: number;
  /** K × K entries, row-major, symmetric, float64. */
  readonly values: Float64Array;
  /** Bound on the entries' error, relative to the product of the two norms. */
  readonly relativeError: number;
}
