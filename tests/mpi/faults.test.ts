import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { killOne, undisturbed } from './kills.ts';

// MULTIGRAD_KILLS=20 for more of them.
const kills = Number(process.env['MULTIGRAD_KILLS'] ?? 3);
const folder = mkdtempSync(join(tmpdir(), 'multigrad-kills-'));
let expected: Awaited<ReturnType<typeof undisturbed>>;

beforeAll(async () => {
  expected = await undisturbed(folder, 2);
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

it.each(Array.from({ length: kills }, (_, index) => index))(
  'a job one of whose ranks is killed ends by itself and goes on as if nothing had been (%i)',
  async (index) => {
    // Moments spread over the run, early and late ones by turns.
    const share = 0.3 + 0.65 * ((index * 0.618034 + Math.random() * 0.1) % 1);
    let kill = await killOne(folder, 2, index % 2, share, expected);
    // Where the machine has become faster meanwhile, the job is over before its moment comes.
    for (let sooner = share / 2; kill.rank === null && sooner > 0.02; sooner /= 2) {
      kill = await killOne(folder, 2, index % 2, sooner, expected);
    }
    console.log(
      `killed rank ${kill.rank} after ${kill.after.toFixed(2)} s of ${expected.seconds.toFixed(2)}: ` +
        `exit code ${kill.exitCode}, ended ${kill.took.toFixed(2)} s later, same result: ${kill.same}`,
    );
    expect(kill.rank).not.toBeNull();
    expect(kill.exitCode).not.toBe(0);
    expect(kill.took).toBeLessThan(30);
    expect(kill.same).toBe(true);
  },
);
