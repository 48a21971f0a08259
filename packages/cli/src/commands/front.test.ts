import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

it('trains on rays of the user, and measures below the reference point of the user', async () => {
  writeFileSync(join(folder, 'rays.txt'), '# left, right\n0.2,0.8\nleft=1,right=1\n');
  const asked = ['--preferences', 'rays.txt', '--reference', 'right=9,left=8'];
  const place = [...small.slice(0, -1), 'own'];
  const first = await run('front', 'multi-mnist', '--strategy', 'pmgda', ...asked, ...place);
  expect(first.err).toBe('');
  expect(first.code).toBe(0);
  const own = (): Front =>
    JSON.parse(readFileSync(join(folder, 'own/front.json'), 'utf8')) as Front;
  const [point, even] = own().points;
  expect(point!.ray['left']! / point!.ray['right']!).toBeCloseTo(4, 12);
  expect(point!.strategy).toBe('pmgda:preference.left=0.8,preference.right=0.2');
  expect(even!.ray['left']).toBeCloseTo(Math.SQRT1_2, 12);
  expect(own().reference).toEqual({ left: 8, right: 9 });
  const volume = own().hypervolume;
  const repeat =
    "multigrad front multi-mnist --strategy pmgda --preferences '0.2,0.8;0.5,0.5' --seeds 1 --reference 8,9";
  const page = readFileSync(join(folder, 'own/report.html'), 'utf8');
  expect(page.replaceAll('&#39;', "'")).toContain(repeat);

  // The same runs below another point: nothing is trained again.
  const again = await run(
    ...['front', 'multi-mnist', '--strategy', 'pmgda', '--preferences', '0.2,0.8;0.5,0.5'],
    ...['--reference', '9,9', ...place],
  );
  expect(again.out).toContain('already holds all that this asks for (2 runs)');
  expect(own().reference).toEqual({ left: 9, right: 9 });
  expect(own().hypervolume).toBeGreaterThan(volume);
  expect((await run('report', 'own')).code).toBe(0);
  expect(own().reference).toEqual({ left: 9, right: 9 });
}, 120_000);

it.each([
  [['--preferences', '1,2', '--rays', '3'], "option '--preferences <list or file>' cannot be used"],
  [['--preferences', '1,2,3'], 'Preference 1 of --preferences should be a finite number > 0'],
  [['--preferences', 'lefft=1,right=2'], 'Did you mean `left`?'],
  [['--preferences', '1,1;2,2'], 'Each preference should be another direction'],
  [['--preferences', 'absent.txt'], 'Cannot read absent.txt: no such file or directory'],
  [['--reference', '1'], 'Option `reference` should be a finite number > 0 for each objective'],
  [['--reference', '1,-1'], 'Option `reference` should be'],
  [['--preferrences', '1,1'], "unknown option '--preferrences'"],
])('refuses %j before any training', async (options, message) => {
  const refused = await run('front', 'multi-mnist', '--strategy', 'epo', ...options);
  expect(refused.err).toContain(message);
  expect(refused.code).toBe(message.startsWith('Cannot read') ? 1 : 2);
});

it('refuses strategies without a preference and rays that no lattice has, before any training', async () => {
  const none = await run('front', 'multi-mnist', '--strategy', 'mgda');
  expect(none.code).toBe(2);
  expect(none.err).toContain('`mgda` takes no preference among objectives');
  const odd = await run('front', 'cg-mnist', '--strategy', 'epo', '--rays', '7');
  expect(odd.code).toBe(2);
  expect(odd.err).toContain('such as 3, 6, 10');
});
