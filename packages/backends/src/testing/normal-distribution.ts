/** By the trapezoidal rule, which is exact to rounding for a function that vanishes so fast at its ends. */
export function normalDistribution(x: number): number {
  const [start, steps] = [-12, 4000];
  const width = (x - start) / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i += 1) {
    const t = start + i * width;
    sum += (i === 0 || i === steps ? 0.5 : 1) * Math.exp((-t * t) / 2);
  }
  // The end at x is not flat: its slope is the rule's one error of second order.
  const correction = (width / 12) * x * Math.exp((-x * x) / 2);
  return ((sum + correction) * width) / Math.sqrt(2 * Math.PI);
}
