import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it, vi } from 'vitest';
import { jsonLines } from '../mpi/processes.ts';
import { root } from './launched.ts';
import { srun, type Step, type Task } from './slurm.ts';

// There is no SLURM here: a stand-in sets the variables of `srun`. Names of hosts are addresses that all mean this machine.

const program = [process.execPath, join(root, 'tests/ranks/programs/contrastive.mjs')];
const opening = (options: string): readonly string[] => [
  ...[process.execPath, '--input-type=module', '-e'],
  `import { openRanks } from '@multigrad/distributed/node';
   const communicator = await openRanks(${options});
   console.log(communicator.kind, communicator.rank, communicator.size);
   await communicator.close();`,
];

interface Outcome {
  readonly losses: readonly number[];
  readonly weights: readonly number[];
}

function outcomeOf(tasks: readonly Task[]): Outcome {
  for (const { exitCode, errors } of tasks) expect(exitCode, errors).toBe(0);
  return jsonLines(tasks.map(({ output }) => output).join(''))[0] as Outcome;
}

// Seven processes start at a time: that takes seconds, and on a machine that does much else a minute.
vi.setConfig({ testTimeout: 240_000 });

describe('ranks by the variables of SLURM', () => {
  it('train a program of your own as one process does, by 2 and 4, and two steps of a job side by side', async () => {
    const alone = outcomeOf(
      await srun({ tasks: 1, nodes: 'none', variables: { MULTIGRAD_TOKEN: undefined } }, program),
    );
    const steps: Step[] = [
      { tasks: 2, nodes: '127.0.0.[1,7]' },
      { tasks: 4, nodes: '127.0.0.[1-3,7]', step: 1 },
    ];
    const found = await Promise.all(steps.map(async (step) => srun(step, program)));
    for (const { losses, weights } of found.map(outcomeOf)) {
      losses.forEach((loss, index) => expect(loss).toBeCloseTo(alone.losses[index]!, 5));
      weights.forEach((weight, index) => expect(weight).toBeCloseTo(alone.weights[index]!, 5));
    }
  });

  it('are those of the step, and TCP is meant where the secret is set', async () => {
    const variables = { SLURM_NTASKS: '8', PMIX_RANK: '0' };
    const tasks = await srun({ tasks: 2, nodes: '127.0.0.[1-2]', variables }, opening(''));
    expect(tasks.map(({ output, errors }) => output + errors)).toEqual(['tcp 0 2\n', 'tcp 1 2\n']);
  });

  it.each([
    ['a shell of salloc', { SLURM_STEP_ID: '4294967290' }],
    ['a batch script', { SLURM_STEP_ID: undefined }],
  ])('are none in %s', async (_, variables) => {
    const [task] = await srun({ tasks: 1, nodes: '127.0.0.1', variables }, opening(''));
    expect(task!.errors + task!.output).toMatch(/^alone 0 1\n$/);
  });

  it.each(['SLURM_STEP_NODELIST', 'SLURM_JOB_ID', 'SLURM_PROCID'])(
    'are refused without %s, by name',
    async (name) => {
      const variables = { [name]: undefined };
      for (const { exitCode, errors } of await srun(
        { tasks: 2, nodes: '127.0.0.[1-2]', variables },
        opening(''),
      )) {
        expect(exitCode).toBe(1);
        expect(errors).toMatch(new RegExp(`Environment variable \`${name}\` should be set`));
      }
    },
  );

  it('say so where another program has the port, and meet at another one', async () => {
    // It takes connections, and never answers.
    const other = createServer().listen(20_000 + ((4711 * 7 + 5) % 40_000), '127.0.0.1');
    await once(other, 'listening');
    const step = { tasks: 2, nodes: '127.0.0.[1-2]', step: 5 };
    const [first, second] = await srun(step, opening('{ start: 1 }'));
    expect([first!.exitCode, second!.exitCode]).toEqual([1, 1]);
    expect(first!.errors).toMatch(/EADDRINUSE.*MULTIGRAD_MEETING=host:port, the same on every/);
    expect(second!.errors).toMatch(/Found a program that does not answer there/);
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as { port: number };
    free.close();
    await once(free, 'close');
    const variables = { MULTIGRAD_MEETING: `127.0.0.1:${port}` };
    const tasks = await srun({ ...step, variables }, opening(''));
    expect(tasks.map(({ output, errors }) => output + errors)).toEqual(['tcp 0 2\n', 'tcp 1 2\n']);
    other.close();
  });
});
