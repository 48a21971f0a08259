import { measured, type MeasuredCommunicator, runRanks } from '@multigrad/distributed';
import { launcherOf } from '@multigrad/distributed/node';
import { describe, expect, it } from 'vitest';
import type { Environment } from '../../shared/environment.ts';
import { communicationText } from './communication-text.ts';
import { asRank } from './run-rank.ts';
import { solo } from './solo.ts';

describe('ranks', () => {
  const environment = (lines: string[]): Environment => ({
    terminal: null,
    print: (line) => lines.push(`out: ${line}`),
    complain: (line) => lines.push(`err: ${line}`),
    folder: '.',
    signal: new AbortController().signal,
  });
  const ranksOf = (communicator: Parameters<typeof measured>[0]): MeasuredCommunicator =>
    measured(communicator, () => 0);

  it('are noticed by what launchers set', () => {
    expect(launcherOf({})).toBeNull();
    expect(launcherOf({ OMPI_COMM_WORLD_SIZE: '2' })).toBe('mpi');
    expect(launcherOf({ PMIX_RANK: '0' })).toBe('mpi');
    // Clusters whose `srun` speaks PMIx unless told otherwise: the secret says that TCP is meant.
    const step = { SLURM_STEP_ID: '0', PMIX_RANK: '0' };
    expect(launcherOf(step)).toBe('mpi');
    expect(launcherOf({ ...step, MULTIGRAD_TOKEN: 'secret' })).toBe('tcp');
  });

  it('leave the word to the first one', async () => {
    const lines: string[] = [];
    const exitCodes = await runRanks(3, async (communicator) =>
      asRank(ranksOf(communicator), environment(lines), async ({ print, complain }, ranks) => {
        for (const line of ranks.introduction) print(line);
        complain(`rank ${communicator.rank}`);
        await communicator.barrier();
        return 0;
      }),
    );
    expect(exitCodes).toEqual([0, 0, 0]);
    expect(lines).toEqual(['out: 3 ranks train together, over local.', 'err: rank 0']);
  });

  it('are none where there is one', async () => {
    const lines: string[] = [];
    const [exitCode] = await runRanks(1, async (communicator) =>
      asRank(ranksOf(communicator), environment(lines), async ({ print }, ranks) => {
        print(ranks === solo ? 'alone' : 'with others');
        return Promise.resolve(2);
      }),
    );
    expect(exitCode).toBe(2);
    expect(lines).toEqual(['out: alone']);
  });

  it('end together where the first one fails', async () => {
    const lines: string[] = [];
    await expect(
      runRanks(2, async (communicator) =>
        asRank(ranksOf(communicator), environment(lines), async (_, ranks) => {
          if (ranks.leads) throw new Error('no room');
          await communicator.barrier();
          return 0;
        }),
      ),
    ).resolves.toEqual([1, 1]);
    expect(lines[0]).toContain('err: Error: no room');
  });

  it('say what they exchanged', () => {
    const bytes = { gradients: 8e6, weights: 1.9e6, control: 1e5 };
    expect(communicationText({ ranks: 2, steps: 10, bytes, seconds: 1, of: 4 })).toBe(
      '2 ranks exchanged 1.00 MB a step; 25 % of the time went into that, waiting for each other included.',
    );
  });
});
