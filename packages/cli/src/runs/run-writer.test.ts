import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Files, nodeFiles } from '@multigrad/core/files';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import { writeComparison } from '../testing/write-comparison.ts';
import { summarize } from '../results/summary.ts';
import { configFile } from './folder-layout.ts';
import { readRuns } from './read-folder.ts';
import { recoverConfig } from './rebuild-config.ts';
import { noLines, openRun } from './run-writer.ts';

const { config, runs } = recordedComparison({
  strategies: ['sum'],
  seeds: [0],
  epochs: 2,
  stepsPerEpoch: 50,
});
const [run] = runs;
let folder: string;
let path: string;
let steps: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-writer-'));
  path = join(folder, 'runs', 'sum-seed0');
  steps = join(path, 'steps.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function write(count: number): Promise<void> {
  const writer = await openRun(nodeFiles, path);
  await writer.keep(noLines);
  for (const step of run!.steps.slice(0, count)) await writer.step(step);
  await writer.sync();
  await writer.close();
}

/** Goes on after so many steps; returns what is missing. */
async function goOn(count: number): Promise<readonly string[]> {
  const writer = await openRun(nodeFiles, path);
  const gaps = await writer.keep({ ...noLines, steps: count });
  await writer.step(run!.steps[count]!);
  await writer.close();
  return gaps;
}

const numbers = (): number[] =>
  readFileSync(steps, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { line: number }).line);

describe('openRun', () => {
  it('leaves out what came after the checkpoint, a torn line too', async () => {
    await write(6);
    appendFileSync(steps, '{"line":6,"st');
    expect(await goOn(4)).toEqual([]);
    expect(numbers()).toEqual([0, 1, 2, 3, 4]);
    expect(await goOn(5)).toEqual([]);
    expect(numbers()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('says which lines are missing, and goes on with the number that comes', async () => {
    await write(3);
    const lost = 'steps.jsonl should have lines 0 … 5. Lost: 3 … 5.';
    expect(await goOn(6)).toEqual([lost]);
    expect(numbers()).toEqual([0, 1, 2, 6]);
    writeFileSync(join(folder, configFile), JSON.stringify(config));
    const [read] = await readRuns(folder, config);
    expect(read!.gaps).toEqual(['steps.jsonl should have lines 0 … 6. Lost: 3 … 5.']);
    expect(summarize(config, [read!]).notes).toContain(
      'Sum, seed 0: steps.jsonl should have lines 0 … 6. Lost: 3 … 5.',
    );
  });

  it('goes on where a disk left other bytes in the midst of a file, and says so', async () => {
    await write(6);
    const lines = readFileSync(steps, 'utf8').split('\n');
    lines[2] = '\0'.repeat(lines[2]!.length);
    writeFileSync(steps, lines.join('\n'));
    expect(await goOn(6)).toEqual(['steps.jsonl should have lines 0 … 5. Lost: 2.']);
    expect(numbers()).toEqual([0, 1, 3, 4, 5, 6]);
  });

  it('has its lines on the disk once it says so, and the names of the files', async () => {
    const synced: string[] = [];
    const files: Files = {
      ...nodeFiles,
      open: async (at, how) => {
        const file = await nodeFiles.open(at, how);
        const sync = async (): Promise<void> => {
          synced.push(at.slice(folder.length + 1));
          await file.sync();
        };
        return { ...file, sync };
      },
    };
    const writer = await openRun(files, path);
    await writer.keep(noLines);
    synced.length = 0;
    await writer.step(run!.steps[0]!);
    await writer.sync();
    expect(synced).toEqual([join('runs', 'sum-seed0', 'steps.jsonl'), join('runs', 'sum-seed0')]);
    await writer.sync();
    await writer.step(run!.steps[1]!);
    await writer.sync();
    expect(synced.slice(2)).toEqual([join('runs', 'sum-seed0', 'steps.jsonl')]);
    await writer.close();
  });

  it('closes all files where one cannot be closed, and names the error', async () => {
    const closed: string[] = [];
    const files: Files = {
      ...nodeFiles,
      open: async (at, how) => {
        const file = await nodeFiles.open(at, how);
        if (!at.endsWith('.jsonl') || how === 'read') return file;
        const close = async (): Promise<void> => {
          await file.close();
          closed.push(at.slice(path.length + 1));
          if (at.endsWith('epochs.jsonl'))
            throw Object.assign(new Error('EIO: i/o error, close'), { code: 'EIO' });
        };
        return { ...file, close };
      },
    };
    const writer = await openRun(files, path);
    await writer.epoch(run!.epochs[0]!);
    await writer.step(run!.steps[0]!);
    await expect(writer.close()).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('epochs.jsonl: i/o error (EIO)') as string,
    });
    expect(closed.sort()).toEqual(['epochs.jsonl', 'steps.jsonl']);
  });

  it.each(['.', 'steps.jsonl', 'checkpoints', join('tensorboard', 'events')])(
    'writes through no link: %s',
    async (name) => {
      const victim = join(folder, 'victim');
      mkdirSync(victim);
      writeFileSync(join(victim, 'x'), 'mine');
      mkdirSync(dirname(join(path, name)), { recursive: true });
      if (name === '.') mkdirSync(dirname(path), { recursive: true });
      rmSync(join(path, name), { recursive: true, force: true });
      symlinkSync(victim, join(path, name));
      await expect(openRun(nodeFiles, path)).rejects.toMatchObject({ code: 'unsupported' });
      expect(readdirSync(victim)).toEqual(['x']);
    },
  );

  it('notices where a finished run has lost its last lines', async () => {
    writeComparison(folder, { config, runs });
    const text = readFileSync(steps, 'utf8').trimEnd().split('\n');
    writeFileSync(steps, `${text.slice(0, -2).join('\n')}\n`);
    const [read] = await readRuns(folder, config);
    const last = text.length - 1;
    expect(read!.gaps).toEqual([
      `steps.jsonl should have lines 0 … ${last}. Lost: ${last - 1} … ${last}.`,
    ]);
  });
});

describe('recoverConfig', () => {
  it('says what is wrong where no checkpoint tells, and changes nothing', async () => {
    const silent = (): void => expect.unreachable();
    await expect(recoverConfig(folder, nodeFiles, silent)).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('holds no results') as unknown,
    });
    mkdirSync(path, { recursive: true });
    writeFileSync(join(folder, configFile), '');
    await expect(recoverConfig(folder, nodeFiles, silent)).rejects.toMatchObject({
      code: 'invalid-data',
    });
    writeFileSync(join(folder, configFile), '{"format":2}');
    await expect(recoverConfig(folder, nodeFiles, silent)).rejects.toMatchObject({
      code: 'unsupported',
    });
    expect(readdirSync(folder).sort()).toEqual([configFile, 'runs']);
  });
});
