import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { type Ended, launched, root } from './launched.ts';

const program = join(root, 'tests/ranks/programs/faults.mjs');

function job(fault: string, culprit: number, ...times: number[]): ReturnType<typeof launched> {
  return launched(['-n', '3', 'node', program, fault, String(culprit), ...times.map(String)]);
}

/** Sends a signal to the rank that is at its fault. */
async function disturbed(
  signal: NodeJS.Signals,
  culprit: number,
  ...times: number[]
): Promise<Ended> {
  const run = job('wait', culprit, ...times);
  const [, pid] = await run.line(/wait (\d+)/);
  process.kill(Number(pid), signal);
  return run.ended;
}

describe('a job one of whose ranks', () => {
  it('has no fault ends with 0', async () => {
    const { exitCode, output, errors } = await job('none', 0).ended;
    expect([exitCode, errors]).toEqual([0, '']);
    expect(output.match(/"done":true/g)).toHaveLength(3);
  });

  it.each<[fault: string, culprit: number, exitCode: number, message: RegExp]>([
    ['throw', 1, 1, /\[1\] Error: out of luck/],
    ['exit', 2, 1, /Rank 2 has ended, while rank [01] is at `round (19|20)`/],
    ['exit-code', 1, 7, /Rank 1 has ended, while rank [02] is at `round (19|20)`/],
    ['abort', 2, 9, /rank 2 ended all ranks with exit code 9/],
    [
      'other-call',
      0,
      1,
      /Found barrier on rank 0, allReduce\(Float32Array\[2\], sum\) on rank [12]/,
    ],
    [
      'other-size',
      1,
      1,
      /allReduce\(Float32Array\[5\], sum\) on rank 1|Found allReduce\(Float32Array\[2\], sum\) on rank 0, allReduce\(Float32Array\[5\], sum\) on rank 1/,
    ],
  ])('has the fault `%s` ends with the reason (rank %i)', async (fault, culprit, code, message) => {
    const { exitCode, errors } = await job(fault, culprit).ended;
    expect(exitCode).toBe(code);
    expect(errors).toMatch(message);
  });

  it('is killed ends with its name', async () => {
    const { exitCode, errors } = await disturbed('SIGKILL', 1);
    expect(exitCode).not.toBe(0);
    expect(errors).toMatch(/Rank 1 has ended, while rank [02] is at `round (19|20)`/);
  });

  it('is killed while sums of gradients are under way ends with its name', async () => {
    const { exitCode, errors } = await job('killed-while-sums-are-under-way', 1).ended;
    expect(exitCode).not.toBe(0);
    expect(errors).toMatch(/Rank 1 has ended, while rank [02] is at `gradients` .*reduceScatter/);
  });

  it('has sums of gradients under way goes on', async () => {
    const { exitCode, errors, output } = await job('under-way', 9).ended;
    expect([exitCode, errors]).toEqual([0, '']);
    expect(output.match(/"done":true/g)).toHaveLength(3);
  });

  // These three mostly wait, so they wait together.
  it.concurrent(
    'is stopped ends with its name, once it has given no sign of life for some time',
    async () => {
      const { exitCode, errors } = await disturbed('SIGSTOP', 2, 5);
      expect(exitCode).not.toBe(0);
      expect(errors).toMatch(
        /Rank 2 gave no sign of life for 5 s, while rank [01] is at `round (19|20)` .*stopped, or the host or the network is down/,
      );
    },
  );

  it.concurrent('computes for long goes on; a note says so', async () => {
    const { exitCode, errors, output } = await job('slow', 1, 5).ended;
    expect(exitCode).toBe(0);
    expect(output.match(/"done":true/g)).toHaveLength(3);
    expect(errors).toMatch(
      /Rank 1 has not reached `round 20` .* for 5 s, but is alive; going on to wait/,
    );
  });

  it.concurrent('is alive but never comes ends once patience is over', async () => {
    const { exitCode, errors } = await job('stuck', 1, 5, 8).ended;
    expect(exitCode).not.toBe(0);
    expect(errors).toMatch(
      /Rank 1 has not reached `round 20` .* for 8 s: rank [02] is at `round 20`/,
    );
  });
});

it('what cannot be started is named', async () => {
  const { exitCode, errors } = await launched(['-n', '2', 'no-such-program']).ended;
  expect(exitCode).toBe(127);
  expect(errors).toMatch(/no-such-program cannot be started: .*ENOENT/);
});
