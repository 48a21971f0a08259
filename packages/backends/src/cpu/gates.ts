const isHard = (attributes: unknown): boolean => (attributes as { readonly hard: boolean }).hard;

/** The function that a recurrent kernel applies to its gates: the sigmoid, or with `hard` x / 5 + 1 / 2 kept in [0, 1]. */
export function gateOf(attributes: unknown): (x: number) => number {
  return isHard(attributes)
    ? (x) => Math.min(1, Math.max(0, 0.2 * x + 0.5))
    : (x) => 1 / (1 + Math.exp(-x));
}

/** The derivative of {@link gateOf}, as a function of its value. */
export function gateSlopeOf(attributes: unknown): (y: number) => number {
  return isHard(attributes) ? (y) => (y > 0 && y < 1 ? 0.2 : 0) : (y) => y * (1 - y);
}
