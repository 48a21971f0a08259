import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { installPacked } from './install-packed.ts';

// The example of an outside author's strategy, in a folder outside the workspace, with what `npm pack` would publish.

let project = '';

beforeAll(() => {
  project = installPacked('outside-strategy', { also: ['@multigrad/cli'] });
}, 120_000);

afterAll(() => {
  if (project !== '') rmSync(project, { recursive: true, force: true });
});

it('passes the kit under node --test, on the packed packages', () => {
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--test', '--test-reporter=tap', 'agreement.test.js'],
    {
      cwd: project,
      encoding: 'utf8',
      // The variable tells node:test that it runs within itself.
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    },
  );
  expect(stdout).toMatch(/^# pass [1-9]\d$/m);
  expect(stdout).toMatch(/^# fail 0$/m);
  expect(status).toBe(0);
});

it('trains beside our own from the command line', () => {
  const program = join(project, 'node_modules/@multigrad/cli/bin/multigrad.js');
  const words =
    'compare cg-mnist --strategies sum,./agreement.js:floor=0.1 --preset quick --train-size 128 --test-size 64 ' +
    '--batch-size 64 --epochs 1 --width 4 --seeds 1 --out out';
  const { status, stderr, stdout } = spawnSync(process.execPath, [program, ...words.split(' ')], {
    cwd: project,
    encoding: 'utf8',
  });
  expect(stderr).not.toContain('rror');
  expect(status, stdout).toBe(0);
  const summary = readFileSync(join(project, 'out', 'table.csv'), 'utf8');
  expect(summary).toContain('agreement.js:floor=0.1');
}, 120_000);
