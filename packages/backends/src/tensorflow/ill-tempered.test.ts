import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCommand } from './install/run-command.ts';
import { probeForGpu } from './probe.ts';

// Programs and drivers that never answer.

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-ill-tempered-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('a driver that hangs is no GPU', async () => {
  const entry = join(folder, 'hangs.cjs');
  writeFileSync(entry, 'for (;;);');
  expect(await probeForGpu(entry, 500)).toBe('no GPU answers within 0.5 s');
});

it('a program that does not heed an interruption is ended', async () => {
  const interruption = new AbortController();
  const script = `process.on('SIGTERM', () => {}); require('node:fs').writeFileSync('up', ''); setInterval(() => {}, 1000);`;
  const running = runCommand(
    [process.execPath, '-e', script],
    { environment: process.env, folder, signal: interruption.signal },
    100,
  );
  setTimeout(() => interruption.abort(new Error('enough')), 500);
  await expect(running).rejects.toThrow('enough');
});
