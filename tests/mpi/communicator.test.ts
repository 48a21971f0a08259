import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mpirun, root } from './mpirun.ts';
import { jsonLines } from './processes.ts';

interface Answers {
  readonly rank: number;
  readonly part: readonly number[];
  readonly apart: readonly number[];
  readonly turns: number;
}

const program = join(root, 'tests/mpi/programs/communicator.mjs');

it('answers every call as the interface says', async () => {
  const { exitCode, output, errors } = await mpirun(['-n', '3', 'node', program]);
  expect(exitCode, errors).toBe(0);
  const answers = (jsonLines(output) as Answers[]).sort((a, b) => a.rank - b.rank);
  expect(answers.map(({ part }) => part)).toEqual([[], [0], [3, 6]]);
  expect(answers.map(({ apart }) => apart)).toEqual([[], [0, 10, 20], [1, 2, 11, 12, 21, 22]]);
  for (const { rank, part, apart, turns, ...rest } of answers) {
    expect(apart.length).toBe(3 * rank);
    expect(rest).toEqual({
      size: 3,
      sums: [3, 3],
      largest: [2],
      whole: [1, 2, 2],
      given: [2.1],
      now: [0, 1, 2],
      all: ['', 'ä', 'ää'].map((text, other) => ({ rank: other, text })),
      first: { said: 0.1 + 0.2 },
      refused: 'invalid-argument',
    });
    expect(part.length).toBe(rank);
    // Timers ran while it waited.
    expect(turns).toBeGreaterThan(10);
  }
});

it('says which library is missing, or of another MPI', async () => {
  for (const [library, message] of [
    ['/nowhere/libmpi.so', /at the path in MULTIGRAD_MPI_LIB. Found none: \/nowhere\/libmpi.so/],
    ['libm.so.6', /should be Open MPI's.*Found none in libm.so.6: another MPI/],
  ] as const) {
    const options = ['-n', '1', '-x', `MULTIGRAD_MPI_LIB=${library}`];
    const { exitCode, errors } = await mpirun([...options, 'node', program]);
    expect(exitCode).not.toBe(0);
    expect(errors).toMatch(message);
  }
});
