/**
 * `∂f/∂x` by central differences in float64, which uses no formula of a derivative that could be wrong. The error is about
 * 1e-9 for smooth functions of numbers of size 1.
 */
export function numericGradient(f: (x: Float64Array) => number, x: ArrayLike<number>): number[] {
  const step = 1e-4;
  const at = Float64Array.from(x);
  return Array.from(at, (value, i) => {
    const shifted = (by: number): number => {
      at[i] = value + by;
      const result = f(at);
      at[i] = value;
      return result;
    };
    // With four points, the error falls with the fourth power of the step.
    const near = shifted(step) - shifted(-step);
    const far = shifted(2 * step) - shifted(-2 * step);
    return (8 * near - far) / (12 * step);
  });
}

/** `Σ a_i b_i`. */
export function innerProduct(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);
}
