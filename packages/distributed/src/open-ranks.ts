import process from 'node:process';
import { MultigradError } from '@multigrad/core/strategy';
import { alone } from './alone.ts';
import { assertAlike } from './assert-alike.ts';
import type { Communicator } from './communicator.ts';
import { programDigests } from './program-digests.ts';
import { isLaunched } from './tcp/place.ts';
import type { TcpOptions } from './tcp/tcp.ts';

/** Options of {@link openRanks}: how long ranks wait for each other. MPI has no use for `start`. */
export type OpenRanksOptions = TcpOptions;

/**
 * Finds out by environment variables what ranks talk over, where a launcher started this process: `mpi` from Open MPI's
 * `mpirun` and launchers that speak PMIx, as SLURM's `srun` may; `tcp` from `multigrad launch`, and from `srun` in a job that
 * has set the ranks' secret; null where none did.
 *
 * @example
 * ```ts
 * import { launcherOf } from '@multigrad/distributed/node';
 *
 * console.log(launcherOf({}), launcherOf({ OMPI_COMM_WORLD_SIZE: '2' })); // null mpi
 * ```
 */
export function launcherOf(
  variables: Readonly<Record<string, string | undefined>>,
): 'mpi' | 'tcp' | null {
  if (variables['OMPI_COMM_WORLD_SIZE'] !== undefined) return 'mpi';
  if (isLaunched(variables)) return 'tcp';
  return variables['PMIX_RANK'] === undefined ? null : 'mpi';
}

/**
 * The ranks that this process was started among: by `multigrad launch` or SLURM's `srun` over TCP, by Open MPI's `mpirun`
 * over MPI, and otherwise none: the same program runs as one process, on one machine and on a cluster.
 *
 * Ranks compare the text of the program's file and of the files that it imports by relative paths: all run the same code.
 * Where ranks are to run different programs, `tcp` or `openMpi` open them without this check.
 *
 * @throws MultigradError as `tcp` and `openMpi` do; `structure-changed` on every rank where their programs differ, with the
 *   files that do
 *
 * @example
 * ```ts
 * import { openRanks } from '@multigrad/distributed/node';
 *
 * const communicator = await openRanks();
 * console.log(communicator.size); // 1
 * ```
 */
export async function openRanks(options: OpenRanksOptions = {}): Promise<Communicator> {
  const communicator = await openAny(options);
  if (communicator.size === 1) return communicator;
  try {
    communicator.nextCall('comparison of programs');
    await assertAlike(communicator, { program: programDigests(process.argv[1]) });
  } catch (error) {
    // The same error on every rank: all leave.
    if (MultigradError.isInstance(error) && error.code === 'structure-changed') {
      await communicator.close();
    }
    throw error;
  }
  return communicator;
}

async function openAny(options: OpenRanksOptions): Promise<Communicator> {
  const launcher = launcherOf(process.env);
  if (launcher === 'mpi') {
    // Loaded here alone: it needs a library of the system.
    const { openMpi } = await import('./open-mpi/open-mpi.ts');
    return openMpi(options);
  }
  if (launcher === 'tcp') {
    const { tcp } = await import('./tcp/tcp.ts');
    return tcp(options);
  }
  return alone();
}
