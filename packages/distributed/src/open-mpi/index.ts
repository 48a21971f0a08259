export { openMpi, type OpenMpiOptions } from './open-mpi.ts';
