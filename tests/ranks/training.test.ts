import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonLines, ranksBelow } from '../mpi/processes.ts';
import { measuredIn, trainingOptions } from '../mpi/training.ts';
import { launched, root } from './launched.ts';

const folder = mkdtempSync(join(tmpdir(), 'multigrad-ranks-'));

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('training over TCP is training by one process but for the order of sums', () => {
  interface Outcome {
    readonly strategy: string;
    readonly weights: readonly number[];
  }
  const program = join(root, 'tests/mpi/programs/agreement.mjs');
  const steps = '10';
  const alone = async (mode: string): Promise<Outcome[]> => {
    const options = { maxBuffer: 2 ** 28 };
    const { stdout } = await promisify(execFile)(process.execPath, [program, mode, steps], options);
    return jsonLines(stdout) as Outcome[];
  };
  const distance = (a: readonly number[], b: readonly number[]): number =>
    Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / Math.max(...a.map(Math.abs));

  let plain: Outcome[];
  let reversed: Outcome[];

  beforeAll(async () => {
    [plain, reversed] = [await alone('plain'), await alone('reversed')];
  });

  it.each([2, 3])('by %i ranks', async (ranks) => {
    const args = ['-n', String(ranks), 'node', program, 'ranks', steps];
    const { exitCode, output, errors } = await launched(args).ended;
    expect([exitCode, errors]).toEqual([0, '']);
    const together = jsonLines(output) as Outcome[];
    expect(together.map(({ strategy }) => strategy)).toEqual(plain.map(({ strategy }) => strategy));
    together.forEach(({ strategy, weights }, index) => {
      const noise = distance(plain[index]!.weights, reversed[index]!.weights);
      expect(distance(plain[index]!.weights, weights), strategy).toBeLessThan(
        Math.max(1e-6, 2 * noise),
      );
    });
  });
});

it('contrastive losses over the whole batch are those of one process, and so are their gradients', async () => {
  interface Outcome {
    readonly losses: readonly number[];
    readonly weights: readonly number[];
  }
  const program = join(root, 'tests/ranks/programs/contrastive.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  const [alone] = jsonLines(stdout) as Outcome[];
  const { exitCode, output, errors } = await launched(['-n', '3', 'node', program]).ended;
  expect(exitCode, errors).toBe(0);
  const [together] = jsonLines(output) as Outcome[];
  alone!.losses.forEach((loss, index) => expect(together!.losses[index]).toBeCloseTo(loss, 5));
  alone!.weights.forEach((weight, index) =>
    expect(together!.weights[index]).toBeCloseTo(weight, 5),
  );
});

it('the program of the README runs by two ranks as it stands', async () => {
  const readme = readFileSync(join(root, 'packages/distributed/README.md'), 'utf8');
  const program = /```js\n(.*?)```/s.exec(readme)![1]!;
  // Inside of the repository, where its imports are found.
  const place = join(root, 'node_modules/.cache/multigrad-tests');
  mkdirSync(place, { recursive: true });
  const file = join(mkdtempSync(join(place, 'ranks-')), 'train.mjs');
  const last = 'console.log(JSON.stringify({ kernel: [...kernel.dataSync()] }));';
  writeFileSync(file, program.replace('  await communicator.close();', `  ${last}\n$&`));
  const { exitCode, output } = await launched(['-n', '2', 'node', file]).ended;
  rmSync(join(file, '..'), { recursive: true });
  expect(exitCode).toBe(0);
  const [first, second] = output.match(/\{"kernel":.*\}/g)!;
  expect(second).toBe(first);
});

describe('multigrad launch train', () => {
  const train = (out: string): ReturnType<typeof launched> =>
    launched(['-n', '2', ...trainingOptions(out)], folder);
  let expected: ReturnType<typeof measuredIn>;

  beforeAll(async () => {
    const out = join(folder, 'undisturbed');
    const { exitCode, output, errors } = await train(out).ended;
    expect([exitCode, errors]).toEqual([0, '']);
    expect(output.match(/2 ranks train together, over TCP/g)).toHaveLength(1);
    expected = measuredIn(out);
    expect(expected.communication).toMatchObject({ ranks: 2, steps: 48 });
  });

  /** Waits until a run has written so many steps. */
  const reached = async (out: string, job: ReturnType<typeof launched>): Promise<void> => {
    await job.line(/epoch 1\/3/);
    expect(readFileSync(join(out, 'config.json'), 'utf8')).toContain('mmpareto');
  };

  it.each<[string, (launcher: number) => void, number]>([
    ['is interrupted with Ctrl-C', (launcher) => process.kill(launcher, 'SIGINT'), 130],
    ['has the launcher ended by SIGTERM', (launcher) => process.kill(launcher, 'SIGTERM'), 130],
    ['loses rank 0', (launcher) => process.kill(ranksBelow(launcher)[0]!, 'SIGKILL'), 137],
  ])('where it %s, goes on as if nothing had been', async (name, disturb, code) => {
    const out = join(folder, name.replaceAll(' ', '-'));
    const job = train(out);
    await reached(out, job);
    disturb(job.launcher.pid!);
    const { exitCode, errors } = await job.ended;
    expect(exitCode, errors).not.toBe(0);
    if (code === 130) expect(exitCode, errors).toBe(130);
    const again = await train(out).ended;
    expect(again.exitCode, again.errors).toBe(0);
    expect(again.output).toMatch(/Going on after step \d+/);
    expect(measuredIn(out).losses).toEqual(expected.losses);
  });
});
