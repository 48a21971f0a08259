import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Call, callCommandLine } from '../testing/call-command-line.ts';
import type { Front } from '../results/front.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-front-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

async function run(...args: string[]): Promise<Call> {
  return callCommandLine(folder, args);
}

const small = ['--train-size', '64', '--test-size', '32', '--epochs', '1', '--out', 'front'];
const read = (name: string): string => readFileSync(join(folder, 'front', name), 'utf8');

it('trains each ray, writes the front, and goes on with a folder that has some of it', async () => {
  const first = await run('front', 'multi-mnist', '--strategy', 'epo', '--rays', '2', ...small);
  expect(first.err).toBe('');
  expect(first.code).toBe(0);
  expect(first.out).toContain('EPO, ray 2');
  expect(first.out).toContain('Hypervolume');
  const front = JSON.parse(read('front.json')) as Front;
  expect(front.objectives).toEqual(['left', 'right']);
  expect(front.points).toHaveLength(2);
  expect(front.points[0]!.ray['left']).toBeCloseTo(Math.cos(Math.PI / 8), 12);
  expect(front.points.every(({ losses }) => losses['left']! > 0 && losses['right']! > 0)).toBe(
    true,
  );
  expect(front.hypervolume).toBeGreaterThan(0);
  expect(read('front.csv').trim().split('\n')).toHaveLength(3);
  const page = read('report.html');
  expect(page).toContain('id="front-losses"');
  expect(page).toContain('multigrad front multi-mnist --strategy epo --rays 2 --seeds 1');

  const again = await run('resume', 'front');
  expect(again.out).toContain('already holds all that this asks for (2 runs)');
  expect((JSON.parse(read('front.json')) as Front).points).toEqual(front.points);
  // Another strategy goes into the same folder, and its rays beside those that are there.
  const more = await run('front', 'multi-mnist', '--strategy', 'pbi', '--rays', '1', ...small);
  expect(more.code).toBe(0);
  expect((JSON.parse(read('front.json')) as Front).points.map(({ title }) => title)).toEqual([
    'EPO, ray 1',
    'EPO, ray 2',
    'PBI, ray 3',
  ]);
}, 120_000);

it('refuses strategies without a preference and rays that no lattice has, before any training', async () => {
  const none = await run('front', 'multi-mnist', '--strategy', 'mgda');
  expect(none.code).toBe(2);
  expect(none.err).toContain('`mgda` takes no preference among objectives');
  const odd = await run('front', 'cg-mnist', '--strategy', 'epo', '--rays', '7');
  expect(odd.code).toBe(2);
  expect(odd.err).toContain('such as 3, 6, 10');
});
