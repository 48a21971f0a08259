import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

// The example of an outside author's strategy, in a folder outside the workspace, with what `npm pack` would publish.

const root = join(import.meta.dirname, '..');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-outside-'));
  const packed = join(folder, 'packed');
  mkdirSync(packed);
  execFileSync('npm', ['pack', '--workspaces', '--pack-destination', packed], {
    cwd: root,
    stdio: 'pipe',
  });
  const project = join(folder, 'project');
  cpSync(join(root, 'examples', 'outside-strategy'), project, { recursive: true });
  // Installed as npm would, but from the packed files, and with nothing to fetch.
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, '@multigrad'), { recursive: true });
  for (const file of readdirSync(packed)) {
    const target = join(modules, '@multigrad', file.replace(/^multigrad-|-\d.*$/g, ''));
    mkdirSync(target);
    execFileSync('tar', ['-xzf', join(packed, file), '-C', target, '--strip-components', '1']);
  }
  for (const entry of readdirSync(join(root, 'node_modules'))) {
    if (entry !== '@multigrad')
      symlinkSync(join(root, 'node_modules', entry), join(modules, entry));
  }
}, 120_000);

afterAll(() => {
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

it('passes the kit under node --test, on the packed packages', () => {
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--test', '--test-reporter=tap', 'agreement.test.js'],
    {
      cwd: join(folder, 'project'),
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
  const program = join(
    folder,
    'project',
    'node_modules',
    '@multigrad',
    'cli',
    'bin',
    'multigrad.js',
  );
  const words =
    'compare cg-mnist --strategies sum,./agreement.js:floor=0.1 --preset quick --train-size 128 --test-size 64 ' +
    '--batch-size 64 --epochs 1 --width 4 --seeds 1 --out out';
  const { status, stderr, stdout } = spawnSync(process.execPath, [program, ...words.split(' ')], {
    cwd: join(folder, 'project'),
    encoding: 'utf8',
  });
  expect(stderr).not.toContain('rror');
  expect(status, stdout).toBe(0);
  const summary = readFileSync(join(folder, 'project', 'out', 'table.csv'), 'utf8');
  expect(summary).toContain('agreement.js:floor=0.1');
}, 120_000);
