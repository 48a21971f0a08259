import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFiles } from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import { openRuns } from '../training/open-runs.ts';
import type { ComparisonConfig } from './config.ts';
import { runFolder } from './folder-layout.ts';
import { openOutputFolder } from './output-folder.ts';
import { readConfig, readRuns } from './read-folder.ts';
import type { StepRecord } from './records.ts';
import { noLines, openRun } from './run-writer.ts';

const { config: recorded, runs } = recordedComparison({
  strategies: ['sum', 'mgda'],
  seeds: [0],
  epochs: 2,
  stepsPerEpoch: 10,
});
const config: ComparisonConfig = {
  ...recorded,
  settings: { ...recorded.settings, 'modality-dropout': 0, fusion: 'concatenation' },
};
let parent: string;
let folder: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'multigrad-folder-'));
  folder = join(parent, 'deep', 'out');
});

afterEach(() => rmSync(parent, { recursive: true }));

async function writeRun(index: number, finish: boolean): Promise<void> {
  const run = runs[index]!;
  const writer = await openRun(nodeFiles, runFolder(folder, `${run.strategy}-seed${run.seed}`));
  await writer.keep(noLines);
  for (const step of run.steps) await writer.step(step);
  for (const epoch of run.epochs) await writer.epoch(epoch);
  if (finish) await writer.end({ ...run.result!, lines: writer.lines() });
  await writer.close();
}

const open = async (asked = config, force = false): Promise<ComparisonConfig> => {
  const { config: whole, release } = await openOutputFolder(folder, asked, force, nodeFiles);
  await release();
  return whole;
};

describe('openOutputFolder', () => {
  it('makes the folder and writes the configuration', async () => {
    await open();
    expect(await readConfig(folder)).toEqual(config);
    expect(await readRuns(folder, config)).toEqual([]);
  });

  it('takes a folder of the same configuration up again, with all that it holds', async () => {
    await open();
    await writeRun(0, true);
    await open();
    expect(await readRuns(folder, config)).toEqual([runs[0]]);
  });

  it('takes in further strategies and seeds, and keeps what is there', async () => {
    await open();
    await writeRun(0, true);
    const more = { ...config, strategies: ['upgrad', 'sum'], seeds: [2, 0] };
    const whole = await open(more);
    expect(whole).toEqual({ ...config, strategies: ['sum', 'mgda', 'upgrad'], seeds: [0, 2] });
    expect(await readConfig(folder)).toEqual(whole);
    expect(await readRuns(folder, whole)).toEqual([runs[0]]);
    // What is asked for now is run, not every seed of every strategy that the folder knows.
    expect((await openRuns(folder, more, whole, nodeFiles)).map(({ name }) => name)).toEqual([
      'upgrad-seed0',
      'sum-seed2',
      'upgrad-seed2',
    ]);
  });

  it('names the differences to another configuration and changes nothing', async () => {
    await open();
    const other = { ...config, seeds: [0, 1], settings: { ...config.settings, epochs: 9 } };
    await expect(openOutputFolder(folder, other, false, nodeFiles)).rejects.toThrow(
      /configuration:\n {2}epochs: 2 there, 9 now\n.*--force/s,
    );
    expect(await readConfig(folder)).toEqual(config);
  });

  it('replaces its own files alone when told to', async () => {
    await open();
    await writeRun(0, true);
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    const other = { ...config, seeds: [0, 1] };
    await open(other, true);
    expect(await readConfig(folder)).toEqual(other);
    expect(await readRuns(folder, other)).toEqual([]);
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('refuses a folder of somebody else’s, even when told to replace', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'thesis.tex'), 'years');
    for (const force of [false, true]) {
      await expect(openOutputFolder(folder, config, force, nodeFiles)).rejects.toThrow(
        /is not empty and holds no results of multigrad \(found thesis.tex\)/,
      );
    }
    expect(readdirSync(folder)).toEqual(['thesis.tex']);
  });

  it.each([false, true])(
    'can be used where a process died before the configuration was there, force: %s',
    async (force) => {
      if (force) {
        await open();
        await writeRun(0, true);
      }
      const dying = { ...nodeFiles, rename: () => Promise.reject(new Error('died')) };
      await expect(openOutputFolder(folder, config, force, dying)).rejects.toThrow('died');
      await open(config, force);
      expect(await readConfig(folder)).toEqual(config);
      expect(await readRuns(folder, config)).toEqual([]);
    },
  );

  it('says why it cannot write', async () => {
    const file = join(parent, 'file');
    writeFileSync(file, '');
    await expect(openOutputFolder(join(file, 'out'), config, false, nodeFiles)).rejects.toThrow(
      new MultigradError(
        'io',
        `Cannot use the output folder ${join(file, 'out')}: not a directory (ENOTDIR).`,
      ),
    );
    await expect(openOutputFolder(file, config, false, nodeFiles)).rejects.toThrow(
      'is a file. Choose another with --out.',
    );
  });
});

describe('readRuns', () => {
  beforeEach(async () => {
    await open();
  });

  it('reads a run whose program was killed, without the line that was being written', async () => {
    await writeRun(0, false);
    const path = join(folder, 'runs', 'sum-seed0', 'steps.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8') + '{"step":99,"los');
    expect(await readRuns(folder, config)).toEqual([{ ...runs[0], result: null }]);
  });

  it('names the file and line of what is no JSON', async () => {
    await writeRun(0, true);
    writeFileSync(join(folder, 'runs', 'sum-seed0', 'epochs.jsonl'), '{}\n{oops}\n');
    await expect(readRuns(folder, config)).rejects.toThrow(/epochs\.jsonl, line 2, is not JSON/);
  });

  it('names the field that a record lacks', async () => {
    await writeRun(0, true);
    const path = join(folder, 'runs', 'sum-seed0');
    writeFileSync(join(path, 'epochs.jsonl'), '{"epoch":1,"step":"x"}\n');
    await expect(readRuns(folder, config)).rejects.toThrow(
      /epochs\.jsonl, line 1, should hold `step`, an integer >= 0\. Found "x"\.$/,
    );
    writeFileSync(join(path, 'result.json'), '{"status":"finished"}');
    await expect(readRuns(folder, config)).rejects.toThrow(
      /result\.json should hold `epochs`, an integer >= 0\. Found undefined\.$/,
    );
  });

  it('names numbers, groups and lines that are none, however deep', async () => {
    await writeRun(0, true);
    const path = join(folder, 'runs', 'sum-seed0');
    const steps = join(path, 'steps.jsonl');
    const [line] = readFileSync(steps, 'utf8').split('\n');
    const step = JSON.parse(line!) as StepRecord;
    const [group] = step.groups;
    const said = async (changed: object, what: string): Promise<void> => {
      writeFileSync(steps, `${JSON.stringify({ ...step, ...changed })}\n`);
      await expect(readRuns(folder, config)).rejects.toThrow(
        `steps.jsonl, line 1, should hold ${what}`,
      );
    };
    await said(
      { groups: [{ ...group, norms: Array(20).fill(1) }] },
      '`groups[0].norms`, an array of length',
    );
    const wrong = group!.objectives.map(() => 'x');
    await said(
      { groups: [{ ...group, norms: wrong }] },
      '`groups[0].norms[0]`, a finite number, or null. Found "x"',
    );
    await said(
      { groups: [{ ...group, cosines: [[1]] }] },
      '`groups[0].cosines`, an array of length',
    );
    await said(
      { groups: [{ ...group, objectives: null }] },
      '`groups[0].objectives`, an array. Found null',
    );
    await said(
      { losses: { a: {} } },
      '`losses.a`, a finite number, or null. Found an empty object',
    );
    writeFileSync(steps, line!.replace(/"milliseconds":[\d.]+/, '"milliseconds":1e999') + '\n');
    await expect(readRuns(folder, config)).rejects.toThrow(
      '`milliseconds`, a finite number. Found Infinity',
    );
    // A number of a line is believed, and costs nothing.
    writeFileSync(steps, `${JSON.stringify({ ...step, line: 2 ** 53 - 2 })}\n`);
    rmSync(join(path, 'result.json'));
    const [first] = await readRuns(folder, config);
    expect(first?.gaps).toEqual([expect.stringContaining('Lost: 0 … 9007199254740989')]);
  });

  it('refuses configurations of more runs than there can be, of none, and of one twice', async () => {
    const said = async (changed: object, what: string): Promise<void> => {
      writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...changed }));
      await expect(readConfig(folder)).rejects.toThrow(what);
    };
    const many = Array.from({ length: 1000 }, (_, index) => index);
    await said(
      { strategies: many.map((one) => `sum:weights.x=${one}`), seeds: many },
      'at most 100000 runs',
    );
    await said({ strategies: [] }, 'should hold `strategies`, at least one, none of them twice');
    await said({ seeds: [1, 1] }, 'should hold `seeds`, at least one, none of them twice');
    await said({ settings: { lr: 'x' } }, 'with learning rates > 0. Found 2 runs with NaN');
  });

  it('says what is missing from a folder without results', async () => {
    await expect(readConfig(parent)).rejects.toThrow(
      'holds no results: there is no config.json in it',
    );
    writeFileSync(join(folder, 'config.json'), '{"format":2}');
    await expect(readConfig(folder)).rejects.toThrow('is not a configuration of format 1');
  });
});

describe('openRuns', () => {
  it('leaves finished runs alone and repeats the others from their beginning', async () => {
    await open();
    await writeRun(0, true);
    await writeRun(1, false);
    expect((await openRuns(folder, config, config, nodeFiles)).map(({ name }) => name)).toEqual([
      'mgda-seed0',
    ]);
    const writer = await openRun(nodeFiles, runFolder(folder, 'mgda-seed0'));
    await writer.keep(noLines);
    await writer.close();
    expect(readFileSync(join(folder, 'runs', 'mgda-seed0', 'steps.jsonl'), 'utf8')).toBe('');
    expect((await readRuns(folder, config))[0]).toEqual(runs[0]);
  });
});
