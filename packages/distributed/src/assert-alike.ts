import { type Json, MultigradError } from '@multigrad/core/strategy';
import { differencesOfRanks } from '@multigrad/core/support';
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
  const differences = differencesOfRanks(all);
  if (differences.length === 0) return;
  throw new MultigradError(
    'structure-changed',
    `All ranks should be started with the same code, options and data. Found\n${differences.join('\n')}`,
  );
}
