import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

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
    expect(await soak('full')).toContain('stopped by a limit on files after step 8; nothing lost');
  });
});
