import type { Json } from './json.ts';

/**
 * What differs between the first value and each other one, a line for each entry of nested records: `  rate: 0.1 on rank 0,
 * 0.2 on rank 1`.
 *
 * @param all - one value a rank, by rank
 */
export function differencesOfRanks(all: readonly Json[]): readonly string[] {
  const entries = all.map((one) => leavesOf(one, ''));
  const [first] = entries;
  return entries.flatMap((own, rank) =>
    [...new Set([...first!.keys(), ...own.keys()])]
      .filter((name) => own.get(name) !== first!.get(name))
      .map(
        (name) =>
          `  ${name}: ${first!.get(name) ?? 'none'} on rank 0, ${own.get(name) ?? 'none'} on rank ${rank}`,
      ),
  );
}

/** Leaves by their paths. */
function leavesOf(value: Json, path: string): Map<string, string> {
  if (typeof value !== 'object' || value === null) return new Map([[path, JSON.stringify(value)]]);
  return new Map(
    Object.entries(value as Readonly<Record<string, Json>>).flatMap(([name, child]) => [
      ...leavesOf(child, path === '' ? name : `${path}.${name}`),
    ]),
  );
}
