/** The mean of the other numbers: `mean_{j≠k} values[j]`. */
export function meanOfOthers(values: readonly number[], k: number): number {
  const others = values.filter((_, j) => j !== k);
  return others.reduce((sum, other) => sum + other, 0) / others.length;
}
