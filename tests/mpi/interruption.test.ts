import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { interrupted, long, newPackage, type Reach } from '../ranks/interrupted.ts';
import { mpiOptions } from './mpirun.ts';

let folder: string;

beforeAll(() => {
  folder = newPackage();
});

afterAll(() => rmSync(folder, { recursive: true }));

// A second, which `mpirun` leaves unless told otherwise, is too short for a step on a machine that does much else.
const patient = ['mpirun', ...mpiOptions, '--mca', 'odls_base_sigkill_timeout', '10'];
const train = ['npx', 'multigrad', ...long.split(' ')];
const compare = long.replace(/^train (\S+) --strategy/, 'compare $1 --strategies').split(' ');

it.each<[string, readonly string[], NodeJS.Signals, Reach, string]>([
  ['Ctrl-C', train, 'SIGINT', 'group', 'sh'],
  ['Ctrl-C, where npm passes signals on twice', train, 'SIGINT', 'group', 'bash'],
  ['SIGTERM to mpirun', train, 'SIGTERM', 'one', 'sh'],
  ['SIGTERM to all', train, 'SIGTERM', 'all', 'sh'],
  ['SIGTERM to all, where npm passes signals on', train, 'SIGTERM', 'all', 'bash'],
])('two ranks by `mpirun … npx` write their last checkpoint at %s', async (_, ...given) => {
  const [command, name, reach, shell] = given;
  const left = await interrupted(folder, [...patient, '-n', '2', ...command], name, reach, shell);
  expect(left).toMatchObject({ status: 'stopped', saved: left.steps });
});

it('one process by `mpirun … npx multigrad compare` writes its last checkpoint at Ctrl-C', async () => {
  const command = [...patient, '-n', '1', 'npx', 'multigrad', ...compare];
  const left = await interrupted(folder, command, 'SIGINT', 'group');
  expect(left).toMatchObject({ status: 'stopped', saved: left.steps });
});
