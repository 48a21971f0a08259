// Distributions that tests on a handful of seeds need: Student's t, and the noncentral t for the power of a test.

const lanczos = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;

/** The logarithm of Γ(x) for x > 0, by Lanczos' approximation; relative error about 1e-14. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const shifted = x - 1;
  const base = shifted + lanczos.length - 0.5;
  const series = lanczos.reduce((sum, c, k) => sum + c / (shifted + k + 1), 0.99999999999980993);
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(series);
}

/** A continued fraction `b0 + a1/(b1 + a2/(b2 + …))` by Lentz' method. */
function continuedFraction(b0: number, term: (k: number) => readonly [number, number]): number {
  const tiny = 1e-300;
  const unlessZero = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let value = unlessZero(b0);
  let c = value;
  let d = 0;
  for (let k = 1; k <= 10_000; k += 1) {
    const [a, b] = term(k);
    d = 1 / unlessZero(b + a * d);
    c = unlessZero(b + a / c);
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return value;
}

/** The regularised incomplete beta function I_x(a, b), for a, b > 0 and x from 0 to 1. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side alone.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x),
  );
  const fraction = continuedFraction(1, (k) => {
    const m = k >> 1;
    const numerator =
      k % 2 === 0
        ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
        : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    return [numerator, 1];
  });
  return front / (a * fraction);
}

/** P(|T| ≥ |t|) for Student's t with ν > 0 degrees of freedom: the p value of a two-sided t test. */
export function twoSidedP(t: number, freedom: number): number {
  return incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5);
}

/** The t > 0 with P(|T| ≥ t) = p, for 0 < p < 1: what an interval of confidence 1 − p reaches to either side. */
export function twoSidedQuantile(p: number, freedom: number): number {
  let [low, high] = [0, 1];
  while (twoSidedP(high, freedom) > p) high *= 2;
  for (let step = 0; step < 200 && high - low > 1e-15 * high; step += 1) {
    const middle = (low + high) / 2;
    if (twoSidedP(middle, freedom) > p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(Z ≥ x) for a standard normal Z. */
export function normalTail(x: number): number {
  if (x < 0) return 1 - normalTail(-x);
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (x > 3) return density / continuedFraction(x, (k) => [k, x]);
  let [term, sum] = [x, x];
  for (let k = 1; term > 1e-17 * sum; k += 1) {
    term *= (x * x) / (2 * k + 1);
    sum += term;
  }
  return 0.5 - density * sum;
}

/**
 * The power of a two-sided t test of one mean, or of paired differences: the probability that n values with this mean and
 * standard deviation give p < α.
 *
 * `1 − P(|T'| ≤ t)` for the noncentral T' with n − 1 degrees of freedom and noncentrality `√n mean/sd`, by integrating over
 * the sample's standard deviation.
 *
 * @param effect - mean over standard deviation
 * @param n - 2 or more values
 */
export function powerOfT(effect: number, n: number, alpha: number): number {
  const freedom = n - 1;
  const shift = Math.abs(effect) * Math.sqrt(n);
  const critical = twoSidedQuantile(alpha, freedom);
  const logFront = Math.LN2 + (freedom / 2) * Math.log(freedom / 2) - logGamma(freedom / 2);
  // s is the sample's standard deviation over the true one; beyond these ends its density vanishes in float64.
  const reach = 12 / Math.sqrt(2 * freedom);
  const [from, to] = [Math.max(0, 1 - reach), 1 + reach];
  const pieces = 2000;
  const width = (to - from) / pieces;
  let accepted = 0;
  for (let k = 0; k <= pieces; k += 1) {
    const s = from + k * width;
    const logDensity =
      logFront + (freedom === 1 ? 0 : (freedom - 1) * Math.log(s)) - (freedom * s * s) / 2;
    const inside = normalTail(-critical * s - shift) - normalTail(critical * s - shift);
    accepted += (k === 0 || k === pieces ? 1 : k % 2 === 1 ? 4 : 2) * Math.exp(logDensity) * inside;
  }
  return Math.min(1, Math.max(0, 1 - (accepted * width) / 3));
}
