import { describe, expect, it } from 'vitest';
import { jsonLines } from '../mpi/processes.ts';
import { launched } from './launched.ts';
import { expectFormula, program, type TrafficOfStep } from './traffic-of-step.ts';

async function stepOf(
  ranks: number,
  network: string,
  statistics: string,
  width = 4,
): Promise<TrafficOfStep> {
  const given = [network, statistics, '2', '4', String(width)];
  const { exitCode, output, errors } = await launched([
    '-n',
    String(ranks),
    'node',
    program,
    ...given,
  ]).ended;
  expect([exitCode, errors]).toEqual([0, '']);
  return jsonLines(output)[0] as TrafficOfStep;
}

describe('over TCP a step exchanges what the formula says', () => {
  it.each([
    [2, 'cg-mnist', 'plain'],
    [4, 'cg-mnist', 'synchronised'],
    [4, 'resnet18', 'plain'],
    [2, 'resnet18', 'synchronised'],
  ])('%i ranks, %s, %s', async (ranks, network, statistics) => {
    expectFormula(await stepOf(ranks, network, statistics));
  });
});

// Gradients of 4 P bytes are freed one after the other: a rank holds its slices of K of them.
it('a rank holds its slices of K gradients and of slots in the place of whole ones', async () => {
  const [alone, together] = [
    await stepOf(1, 'resnet18', 'plain', 16),
    await stepOf(4, 'resnet18', 'plain', 16),
  ];
  const numbers = alone.variables.reduce((sum, { size }) => sum + size, 0);
  const [ofOne, ofFour] = [alone, together].map(({ tensors }) => tensors.most / (4 * numbers));
  console.log(
    `P = ${numbers}: at most ${ofOne!.toFixed(2)} P by one rank, ${ofFour!.toFixed(2)} P by each of four`,
  );
  // One rank holds weights, slots and K = 3 gradients; one of four its slices of slots and gradients.
  expect(ofOne! - ofFour!).toBeGreaterThan(2);
});
