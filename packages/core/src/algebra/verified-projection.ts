/**
 * Whether a vector x found as the projection of a reference r is sure to conflict with no gradient and to be no longer
 * than r, for all gradients that the cosines may come from.
 *
 * With `S = Σ |y_k|` the inner products are known to `e S`, and `|x|²` to `e S²`. It is sure that
 * `⟨x, g_k⟩ >= −2 √e |x| |g_k|` for every k, which no vector that may be zero fulfils; and that
 * `|x|² − |r|² = ⟨x − r, x + r⟩ <= 0`.
 *
 * @param error - e, of each cosine
 * @param reference - weights of r for unit gradients; their magnitudes add up to 1
 * @param before - `−⟨r, g_k⟩ / |g_k|`
 * @param added - weights of x less those of r, >= 0
 * @param after - `−⟨x, g_k⟩ / |g_k|`
 */
export function isVerified(
  error: number,
  reference: Float64Array,
  before: Float64Array,
  added: Float64Array,
  after: Float64Array,
): boolean {
  let gained = 0;
  let squared = 0;
  let change = 0;
  let conflict = 0;
  for (let k = 0; k < reference.length; k += 1) {
    gained += added[k]!;
    squared -= (reference[k]! + added[k]!) * after[k]!;
    change -= added[k]! * (after[k]! + before[k]!);
    conflict = Math.max(conflict, after[k]!);
  }
  const uncancelled = 1 + gained;
  const length = Math.sqrt(Math.max(0, squared - error * uncancelled * uncancelled));
  const unconflicting = conflict + error * uncancelled <= 2 * Math.sqrt(error) * length;
  return unconflicting && change + error * gained * (uncancelled + 1) <= 0;
}
