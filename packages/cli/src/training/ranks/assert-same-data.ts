import { assertAlike, type Communicator } from '@multigrad/distributed';
import { dispose } from '@tensorflow/tfjs-core';
import type { PreparedExperiment } from '../../experiments/prepare.ts';

/**
 * Checks that all ranks see the same data, by the number of steps and the sums of the first batch, and that they compute on
 * the same backend.
 *
 * @throws MultigradError `structure-changed` on every rank, listing all that differs
 */
export async function assertSameData(
  communicator: Communicator,
  prepared: PreparedExperiment,
  backend: string,
): Promise<void> {
  const sums = new Map<string, number>();
  for await (const batch of prepared.train(0)) {
    for (const [name, tensor] of Object.entries(batch)) {
      const values = await tensor.data<'float32'>();
      sums.set(
        name,
        values.reduce((sum, one) => sum + one, 0),
      );
    }
    dispose(batch);
    break;
  }
  const { stepsPerEpoch } = prepared;
  const data = { stepsPerEpoch, 'sums of the first batch': Object.fromEntries(sums) };
  await assertAlike(communicator, { backend, data });
}
