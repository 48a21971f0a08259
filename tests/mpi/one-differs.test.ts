import { describe, it } from 'vitest';
import { launched } from '../ranks/launched.ts';
import {
  differences,
  expectEditRefused,
  expectRefused,
  expectTrained,
  program,
} from '../ranks/one-differs.ts';
import { type Ended, mpirun } from './mpirun.ts';

/** Starts two ranks of a command. */
type Start = (command: readonly string[]) => Promise<Omit<Ended, 'seconds'>>;

describe.each<[communicator: string, rank: string, start: Start]>([
  ['TCP', 'MULTIGRAD_RANK', async (command) => launched(['-n', '2', ...command]).ended],
  ['MPI', 'OMPI_COMM_WORLD_RANK', async (command) => mpirun(['-n', '2', ...command])],
])('a program of your own over %s', (_, rank, start) => {
  it('trains where all ranks are alike', async () => {
    expectTrained(await start(['node', program, 'none']));
  });

  it.each(differences)(
    'is refused before a step where one rank has another %s',
    async (name, said) => {
      expectRefused(await start(['node', program, name]), said);
    },
  );

  it('is refused where a file that it imports was edited on one rank', async () => {
    await expectEditRefused(rank, start);
  });
});
