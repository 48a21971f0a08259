import { rmSync } from 'node:fs';
import process from 'node:process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { multigrad } from './launched.ts';
import { interrupted, long, newPackage, type Reach } from './interrupted.ts';

// Ctrl-C and SIGTERM as terminals, supervisors and batch systems send them, through what stands between them and the program.

let folder: string;
// Twenty steps take seconds on a machine that does much else; none of these has a bound on time.
const timeout = 240_000;

beforeAll(() => {
  folder = newPackage();
});

afterAll(() => rmSync(folder, { recursive: true }));

const launch = ['launch', '-n', '2', ...long.split(' ')];
const npx = ['npx', 'multigrad', ...long.split(' ')];
const starters: Readonly<Record<string, readonly string[]>> = {
  'multigrad launch': [process.execPath, multigrad, ...launch],
  'npx multigrad launch': ['npx', 'multigrad', ...launch],
  'npx multigrad': npx,
  'npm run': ['npm', 'run', 'train'],
};
const ways: readonly (readonly [NodeJS.Signals, Reach])[] = [
  ['SIGINT', 'group'],
  ['SIGTERM', 'all'],
  ['SIGTERM', 'one'],
];

it.each(
  Object.keys(starters).flatMap((starter) => ways.map(([name, reach]) => [starter, name, reach])),
)(
  'a run by `%s` writes its last checkpoint at %s to %s',
  async (starter, name, reach) => {
    const left = await interrupted(
      folder,
      starters[starter!]!,
      name as NodeJS.Signals,
      reach as Reach,
    );
    expect(left).toMatchObject({ status: 'stopped', saved: left.steps });
  },
  timeout,
);

// bash becomes the program that it runs: npm, which has got the signal with the group, then sends it to the program once more.
it.each([ways[0]!, ways[1]!])(
  'so it does where npm passes a signal on that has come already, %s to %s',
  async (name, reach) => {
    const left = await interrupted(folder, npx, name, reach, 'bash');
    expect(left).toMatchObject({ status: 'stopped', saved: left.steps });
  },
  timeout,
);
