import process from 'node:process';
import { alone } from './alone.ts';
import type { Communicator } from './communicator.ts';
import { isLaunched } from './tcp/place.ts';

/**
 * The ranks that this process was started among: by `multigrad launch` or SLURM's `srun` over TCP, by Open MPI's `mpirun`
 * over MPI, and otherwise none: the same program runs as one process, on one machine and on a cluster.
 *
 * @throws MultigradError as `tcp` and `openMpi` do
 *
 * @example
 * ```ts
 * import { openRanks } from '@multigrad/distributed/node';
 *
 * const communicator = await openRanks();
 * console.log(communicator.size); // 1
 * ```
 */
export async function openRanks(): Promise<Communicator> {
  const variables = process.env;
  if (variables['OMPI_COMM_WORLD_SIZE'] !== undefined || variables['PMIX_RANK'] !== undefined) {
    // Loaded here alone: it needs a library of the system.
    const { openMpi } = await import('./open-mpi/open-mpi.ts');
    return openMpi();
  }
  if (isLaunched(variables)) {
    const { tcp } = await import('./tcp/tcp.ts');
    return tcp();
  }
  return alone();
}
