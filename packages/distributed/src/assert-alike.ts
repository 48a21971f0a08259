import { type Json, MultigradError } from '@multigrad/core/strategy';
import type { Communicator } from './communicator.ts';
import { gatherJson } from './json.ts';

/**
 * Checks that all ranks were started alike: with the same code, options and data, whatever the caller names.
 *
 * @param description - nested records are compared entry by entry
 * @throws MultigradError `structure-changed` on every rank, listing all that differs
 *
 * @example
 * ```ts
 * import { alone, assertAlike } from '@multigrad/distributed';
 *
 * await assertAlike(alone(), { version: '1.0.0', options: { epochs: 4 }, samples: 60_000 });
 * ```
 */
export async function assertAlike(communicator: Communicator, description: Json): Promise<void> {
  const all = await gatherJson(communicator, description);
  const entries = all.map((one) => flatten(one, ''));
  const differences = entries.flatMap((own, rank) =>
    [...new Set([...entries[0]!.keys(), ...own.keys()])]
      .filter((name) => own.get(name) !== entries[0]!.get(name))
      .map(
        (name) =>
          `  ${name}: ${entries[0]!.get(name) ?? 'none'} on rank 0, ${own.get(name) ?? 'none'} on rank ${rank}`,
      ),
  );
  if (differences.length === 0) return;
  throw new MultigradError(
    'structure-changed',
    `All ranks should be started with the same code, options and data. Found\n${differences.join('\n')}`,
  );
}

/** Leaves by their paths. */
function flatten(value: Json, path: string): Map<string, string> {
  if (typeof value !== 'object' || value === null) return new Map([[path, JSON.stringify(value)]]);
  return new Map(
    Object.entries(value as Readonly<Record<string, Json>>).flatMap(([name, child]) => [
      ...flatten(child, path === '' ? name : `${path}.${name}`),
    ]),
  );
}
