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
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// The generator works in a copy of this repository; what it makes there is built and tested as it would be here.

const root = join(import.meta.dirname, '..');
let copy = '';

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'multigrad-new-strategy-'));
  for (const entry of readdirSync(root)) {
    if (['node_modules', '.git', '.turbo', 'runs'].includes(entry)) continue;
    // The tests' examples come and go while other tests run.
    const filter = (source: string): boolean =>
      !/\/tests\/\.examples|\/node_modules|\/node-test-/.test(source);
    cpSync(join(root, entry), join(copy, entry), { recursive: true, filter });
  }
  // Every dependency as it is, but the workspace's packages are the copy's own.
  const modules = join(copy, 'node_modules');
  mkdirSync(join(modules, '@multigrad'), { recursive: true });
  for (const entry of readdirSync(join(root, 'node_modules'))) {
    if (entry !== '@multigrad')
      symlinkSync(join(root, 'node_modules', entry), join(modules, entry));
  }
  for (const name of readdirSync(join(copy, 'packages'))) {
    symlinkSync(join('..', '..', 'packages', name), join(modules, '@multigrad', name));
  }
  symlinkSync(join('..', '..', 'tests', 'support'), join(modules, '@multigrad', 'test-support'));
});

afterAll(() => {
  if (copy !== '') rmSync(copy, { recursive: true, force: true });
});

const generate = (...words: string[]): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, ['scripts/new-strategy/new-strategy.mjs', ...words], {
    cwd: copy,
    encoding: 'utf8',
  });

/** A tool of the workspace, in the copy; its output is in the error where it fails. */
function tool(path: string, ...words: string[]): string {
  return execFileSync(process.execPath, [join('node_modules', path), ...words], {
    cwd: copy,
    encoding: 'utf8',
    stdio: 'pipe',
  });
}

describe('npm run new:strategy', () => {
  it('refuses names that are none, or taken', () => {
    for (const [words, message] of [
      [[], 'Found nothing'],
      [['My Strategy'], 'in kebab-case'],
      [['mgda'], 'packages/strategy-mgda exists already'],
    ] as const) {
      const { status, stderr } = generate(...words);
      expect(status).toBe(2);
      expect(stderr).toContain(message);
    }
  });

  it('makes a package that builds, lints, passes the kit and shows up in the tables', () => {
    const { status, stderr, stdout } = generate('half-way');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('src/half-way.ts');
    tool('typescript/bin/tsc', '-b', 'packages/cli');
    const own = ['packages/strategy-half-way', 'packages/cli/src/strategies'];
    tool('eslint/bin/eslint.js', '--max-warnings', '0', ...own);
    tool('prettier/bin/prettier.cjs', '--check', ...own, 'README.md', 'packages/cli', '.changeset');
    const report = tool(
      'vitest/vitest.mjs',
      'run',
      'packages/strategy-half-way',
      'tests/structure',
    );
    expect(report.trimEnd()).toMatch(/\d+ passed, 0 failed$/);
    const page = tool('@multigrad/cli/bin/multigrad.js', 'strategies', '--markdown');
    expect(page).toContain('| `half-way` |');
    expect(readFileSync(join(copy, 'README.md'), 'utf8')).toContain('(packages/strategy-half-way)');
  }, 240_000);
});
