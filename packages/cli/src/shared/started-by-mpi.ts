import process from 'node:process';

/** Whether a launcher of MPI started this process: Open MPI's `mpirun`, or one that speaks PMIx, as SLURM's `srun` does. */
export function isStartedByMpi(variables: NodeJS.ProcessEnv = process.env): boolean {
  return variables['OMPI_COMM_WORLD_SIZE'] !== undefined || variables['PMIX_RANK'] !== undefined;
}
