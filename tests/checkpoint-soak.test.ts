import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { steadyFigures } from '../scripts/soak/figures.mjs';

// A sample of what `npm run soak` does at length, on the built packages.

const program = join(import.meta.dirname, '../scripts/soak/main.mjs');

async function soak(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args]);
  return stdout;
}

describe('training that is killed with kill -9', () => {
  it.each([
    ['cpu', 6],
    ['wasm', 5],
  ])(
    'ends with the same bytes on %s, after %i kills',
    async (backend, kills) => {
      const printed = await soak(
        'kills',
        `backend=${backend}`,
        `kills=${kills}`,
        'epochs=1',
        'everySteps=1',
      );
      expect(printed).toContain(`kills: ${kills} on ${backend} over 72 steps of 9 runs`);
      expect(printed).toContain('every run ended with the same bytes');
      expect(printed).toMatch(new RegExp(`^kills on ${backend} +${kills} kills.* holds$`, 'm'));
    },
    240_000,
  );
});

describe('damaged checkpoints', () => {
  it('are recognised, whatever the damage', async () => {
    const printed = await soak('fuzz', 'count=150', 'seed=2');
    expect(printed).toContain('fuzz: 150 damaged checkpoints');
    expect(printed).toMatch(/bits: previous: 15/);
  });
});

describe('a disk that is full', () => {
  it('loses no earlier checkpoint', async () => {
    const printed = await soak('full');
    expect(printed).toContain('stopped by a limit on files after step 8; nothing lost');
    expect(printed).toContain('stopped by a read-only folder after step 8; nothing lost');
  });
});

describe('what is kept', () => {
  it('has one holder of a lock at a time', async () => {
    const printed = await soak('locks', 'rounds=6', 'processes=4');
    for (const place of ['fresh', 'stale', 'empty', 'killed']) {
      expect(printed).toMatch(new RegExp(`^lock, 4 processes, ${place} .* holds$`, 'm'));
    }
    expect(printed).toContain('should be a lock of multigrad, or not be there');
  });

  it('is not lost where file operations fail', async () => {
    const printed = await soak('faults', 'every=521');
    expect(printed).toMatch(/^faults in the library +(\d+) of \1 .* holds$/m);
    expect(printed).toMatch(/^faults in train and resume +(\d+) of \1 .* holds$/m);
  }, 240_000);

  it('can be gone on with after a closed reader in the first step and Ctrl-C in the last', async () => {
    const printed = await soak('signals', 'every=32', 'from=17');
    expect(printed).toMatch(/^signals and closed readers +2 of 63 pairs .* holds$/m);
  }, 240_000);

  it('outlives a power cut, and a disk that lies is found out', async () => {
    const printed = await soak('power', 'count=3', 'seed=3');
    expect(printed).toMatch(/^power cuts +3 runs, 0 gaps .* holds$/m);
    expect(printed).toMatch(/^power cuts, a disk that lies .* holds$/m);
  }, 240_000);
});

describe('a run that goes on from any of its safe points', () => {
  it.each(['cpu', 'wasm'])(
    'ends with the same bytes on %s',
    async (backend) => {
      const printed = await soak('resume', `backend=${backend}`, 'count=8', 'seed=3', 'epochs=2');
      expect(printed).toMatch(/^resume: \d+ safe points of 8 configurations/m);
      expect(printed).toMatch(/^resume on .* 0 with other bytes .* holds$/m);
    },
    240_000,
  );
});

describe('a run under a balancing method that is killed with kill -9', () => {
  it('ends with the same bytes through the command line', async () => {
    const printed = await soak('balancing', 'methods=greedy', 'seed=7');
    expect(printed).toMatch(/^balancing: greedy: killed after step \d+ of 24$/m);
    expect(printed).toMatch(/^kills of balancing methods on cpu +1 of 1 .* holds$/m);
  }, 240_000);
});

describe('names that nobody expects', () => {
  it('are right, or refused with the reason', async () => {
    const printed = await soak('names', 'count=20');
    expect(printed).toMatch(/^odd names +\d+ right, \d+ refused, 0 wrong .* holds$/m);
  }, 240_000);
});

describe('calls from outside while training goes on', () => {
  it('are refused or right', async () => {
    const printed = await soak('overlaps', 'runs=40');
    expect(printed).toMatch(/^overlapping calls +\d+ right, \d+ refused, 0 wrong .* holds$/m);
  });
});

describe('hostile folders and files', () => {
  it('are read or refused by name, and nothing beside them is touched', async () => {
    const printed = await soak('hostile', 'count=66', 'files=100', 'seed=4');
    expect(printed).toMatch(/^hostile folders +66 folders .* holds$/m);
    expect(printed).toMatch(/^hostile files +1300 of 13 formats .* holds$/m);
    expect(printed).toMatch(/^hostile files, png +\d+ read, \d+ refused +100 read, or .* holds$/m);
    expect(printed).toMatch(/report: named \d\d.*report: read \d\d/);
  }, 240_000);
});

describe('figures of long training', () => {
  const sound = {
    ...{ backend: 'cpu', steps: 20_000, tensors: ['29'], replayed: 19_998, first: 100, last: 98 },
    epochs: 2500,
    heap: { rate: 3, error: 2 },
    resident: { rate: 100, error: 30, spread: 5e6 },
  };
  const verdicts = (changed: Partial<typeof sound>, judged = true): (boolean | undefined)[] =>
    steadyFigures({ ...sound, ...changed }, judged).map(({ holds }) => holds);

  it('hold where nothing grows or slows down', () => {
    expect(verdicts({})).toEqual([true, true, true, true, true]);
    // Memory that goes up and down is no leak, and a history is kept on purpose.
    expect(verdicts({ heap: { rate: 90, error: 30 } })).toEqual([true, true, true, true, true]);
    expect(verdicts({ heap: { rate: 30, error: 1 } })).toEqual([true, true, true, true, true]);
  });

  it('are broken by tensors, bytes and seconds', () => {
    expect(verdicts({ tensors: ['29', '30'] })).toEqual([false, true, true, true, true]);
    expect(verdicts({ replayed: 9000 })).toEqual([true, false, true, true, true]);
    expect(verdicts({ heap: { rate: 60, error: 2 } })).toEqual([true, true, false, true, true]);
    const leaking = { rate: 300, error: 30, spread: 5e6 };
    expect(verdicts({ resident: leaking })).toEqual([true, true, true, false, true]);
    expect(verdicts({ last: 90 })).toEqual([true, true, true, true, false]);
    expect(verdicts({ last: 90 }, false)).toEqual([true, true, true, true, undefined]);
  });
});
