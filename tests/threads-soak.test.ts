import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

// A sample of what `npm run soak` does at length with threads of wasm, on the built packages.

const program = join(import.meta.dirname, '../scripts/soak/main.mjs');

async function soak(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args]);
  return stdout;
}

describe('threads of wasm', () => {
  it('start with training, and none dies', async () => {
    const printed = await soak('starts', 'count=2', 'busy=1');
    expect(printed).toContain('2 starts of training on wasm');
    expect(printed).toContain(': 0 hangs, 0 deaths, 0 threads that did not answer in time');
    expect(printed).toMatch(/^networks whose weights differ +0 +0 +holds$/m);
  }, 600_000);

  it('know of memory that grows before every kernel', async () => {
    const printed = await soak('growths', 'count=200', 'busy=1');
    expect(printed).toContain(
      'memory grew 400 times before a kernel, beside 1 busy processes: 0 hangs, 0 deaths',
    );
  }, 600_000);

  it('may die, stop, be killed, never start or meet a faulty piece: no hang, and the same bits', async () => {
    const printed = await soak('losses', 'count=14', 'seed=3');
    expect(printed).toMatch(/14 cases, \d+ threads lost, 0 hangs/);
    expect(printed).toContain('  -> same bits: 12');
    expect(printed).toContain('  -> kernel-failed: 2');
    expect(printed).toMatch(/^same bits, or the error of a kernel at fault +14 +14 +holds$/m);
  }, 600_000);
});
