export { openMpi } from './open-mpi.ts';
