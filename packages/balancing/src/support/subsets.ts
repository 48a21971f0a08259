/** The subsets of some names, in the order of their bits: the first name is bit 0. */
export function subsetsOf<T>(names: readonly T[]): T[][] {
  return Array.from({ length: 2 ** names.length }, (_, bits) =>
    names.filter((_name, k) => (bits & (1 << k)) !== 0),
  );
}
