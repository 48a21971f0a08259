import { expect, it } from 'vitest';
import { expectFormula, program, type TrafficOfStep } from '../ranks/traffic-of-step.ts';
import { mpirun } from './mpirun.ts';
import { jsonLines } from './processes.ts';

it.each([
  [4, 'cg-mnist', 'plain'],
  [2, 'cg-mnist', 'synchronised'],
  [2, 'resnet18', 'plain'],
  [4, 'resnet18', 'synchronised'],
])(
  'over MPI a step of %i ranks exchanges what the formula says: %s, %s',
  async (ranks, ...rest) => {
    const job = ['-n', String(ranks), 'node', program, ...rest, '2', '4', '4'];
    const { exitCode, output, errors } = await mpirun(job);
    expect(exitCode, errors).toBe(0);
    expectFormula(jsonLines(output)[0] as TrafficOfStep);
  },
);
