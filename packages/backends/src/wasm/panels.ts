/** Columns of a panel in `kernels/dense.h`. */
const panel = 8;

/** Bytes of the panels of a k × n matrix. */
export function panelBytes(k: number, n: number): number {
  return 4 * k * Math.ceil(n / panel) * panel;
}
