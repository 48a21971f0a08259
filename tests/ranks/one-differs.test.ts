import { it } from 'vitest';
import { launched } from './launched.ts';
import {
  differences,
  expectEditRefused,
  expectRefused,
  expectTrained,
  program,
} from './one-differs.ts';

// A sample, since each job starts three processes: tests/mpi/one-differs.test.ts has all differences, over TCP and over MPI.

const sample = ['rate', 'batch size'];

it('a program of your own over TCP trains where all ranks are alike', async () => {
  expectTrained(await launched(['-n', '2', 'node', program, 'none']).ended);
});

it.each(sample)(
  'a program of your own over TCP is refused before a step where one rank has another %s',
  async (name) => {
    const difference = differences.find(([argument]) => argument === name);
    expectRefused(await launched(['-n', '2', 'node', program, name]).ended, difference![1]);
  },
);

it('a program of your own over TCP is refused where a file that it imports was edited on one rank', async () => {
  await expectEditRefused(
    'MULTIGRAD_RANK',
    async (command) => launched(['-n', '2', ...command]).ended,
  );
});
