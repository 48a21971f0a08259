import { own } from '@multigrad/core/strategy';
import type { EpochRecord } from '../runs/records.ts';

/** An objective's accuracy on the test set after an epoch, 0 to 1; undefined without an epoch, or where it has none. */
export function testAccuracy(epoch: EpochRecord | null, objective: string): number | undefined {
  return epoch === null ? undefined : own(epoch.test, objective)?.accuracy;
}
