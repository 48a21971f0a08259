import process from 'node:process';
import { own } from '@multigrad/core/strategy';

/**
 * Whether a launcher of ranks started this process: Open MPI's `mpirun`, one that speaks PMIx, as SLURM's `srun` may,
 * `multigrad launch`, or `srun` by itself in a job that has set the ranks' secret.
 */
export function isStartedAsRank(variables: NodeJS.ProcessEnv = process.env): boolean {
  const isSet = (name: string): boolean => own(variables, name) !== undefined;
  return (
    ['OMPI_COMM_WORLD_SIZE', 'PMIX_RANK', 'MULTIGRAD_RANK'].some(isSet) ||
    ['SLURM_STEP_ID', 'MULTIGRAD_TOKEN'].every(isSet)
  );
}
