import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MultigradError } from '@multigrad/core/strategy';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import { openRuns } from '../training/comparison.ts';
import { beginRun, openOutputFolder, readConfig, readRuns } from './output-folder.ts';

const { config, runs } = recordedComparison({ strategies: ['sum', 'mgda'], seeds: [0], epochs: 2, stepsPerEpoch: 10 });
let parent: string;
let folder: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'multigrad-folder-'));
  folder = join(parent, 'deep', 'out');
});

afterEach(() => rmSync(parent, { recursive: true }));

function writeRun(index: number, finish: boolean): void {
  const run = runs[index]!;
  const writer = beginRun(folder, `${run.strategy}-seed${run.seed}`);
  for (const step of run.steps) writer.step(step);
  for (const epoch of run.epochs) writer.epoch(epoch);
  if (finish) writer.end(run.result!);
}

describe('openOutputFolder', () => {
  it('makes the folder and writes the configuration', () => {
    openOutputFolder(folder, config, false).release();
    expect(readConfig(folder)).toEqual(config);
    expect(readRuns(folder, config)).toEqual([]);
  });

  it('takes a folder of the same configuration up again, with all that it holds', () => {
    openOutputFolder(folder, config, false).release();
    writeRun(0, true);
    openOutputFolder(folder, config, false).release();
    expect(readRuns(folder, config)).toEqual([runs[0]]);
  });

  it('takes in further strategies and seeds, and keeps what is there', () => {
    openOutputFolder(folder, config, false).release();
    writeRun(0, true);
    const more = { ...config, strategies: ['upgrad', 'sum'], seeds: [2, 0] };
    const { config: whole, release } = openOutputFolder(folder, more, false);
    release();
    expect(whole).toEqual({ ...config, strategies: ['sum', 'mgda', 'upgrad'], seeds: [0, 2] });
    expect(readConfig(folder)).toEqual(whole);
    expect(readRuns(folder, whole)).toEqual([runs[0]]);
    // What is asked for now is run, not every seed of every strategy that the folder knows.
    expect(openRuns(folder, more, whole).map(({ name }) => name)).toEqual(['upgrad-seed0', 'sum-seed2', 'upgrad-seed2']);
  });

  it('names the differences to another configuration and changes nothing', () => {
    openOutputFolder(folder, config, false).release();
    const other = { ...config, seeds: [0, 1], settings: { ...config.settings, epochs: 9 } };
    expect(() => openOutputFolder(folder, other, false)).toThrow(/configuration:\n {2}epochs: 2 there, 9 now\n.*--force/s);
    expect(readConfig(folder)).toEqual(config);
  });

  it('replaces its own files alone when told to', () => {
    openOutputFolder(folder, config, false).release();
    writeRun(0, true);
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    const other = { ...config, seeds: [0, 1] };
    openOutputFolder(folder, other, true).release();
    expect(readConfig(folder)).toEqual(other);
    expect(readRuns(folder, other)).toEqual([]);
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('refuses a folder of somebody else’s, even when told to replace', () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'thesis.tex'), 'years');
    for (const force of [false, true]) {
      expect(() => openOutputFolder(folder, config, force)).toThrow(/is not empty and holds no results of multigrad \(found thesis.tex\)/);
    }
    expect(readdirSync(folder)).toEqual(['thesis.tex']);
  });

  it('says why it cannot write', () => {
    const file = join(parent, 'file');
    writeFileSync(file, '');
    expect(() => openOutputFolder(join(file, 'out'), config, false)).toThrow(
      new MultigradError(
        'io',
        `Cannot use the output folder ${join(file, 'out')}: not a directory.`,
      ),
    );
    expect(() => openOutputFolder(file, config, false)).toThrow('is a file. Choose another with --out.');
  });
});

describe('readRuns', () => {
  beforeEach(() => {
    openOutputFolder(folder, config, false).release();
  });

  it('reads a run whose program was killed, without the line that was being written', () => {
    writeRun(0, false);
    const path = join(folder, 'runs', 'sum-seed0', 'steps.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8') + '{"step":99,"los');
    expect(readRuns(folder, config)).toEqual([{ ...runs[0], result: null }]);
  });

  it('names the file and line of what is no JSON', () => {
    writeRun(0, true);
    writeFileSync(join(folder, 'runs', 'sum-seed0', 'epochs.jsonl'), '{}\n{oops}\n');
    expect(() => readRuns(folder, config)).toThrow(/epochs\.jsonl, line 2, is not JSON/);
  });

  it('says what is missing from a folder without results', () => {
    expect(() => readConfig(parent)).toThrow('holds no results: there is no config.json in it');
    writeFileSync(join(folder, 'config.json'), '{"format":2}');
    expect(() => readConfig(folder)).toThrow('is not a configuration of format 1');
  });
});

describe('openRuns', () => {
  it('leaves finished runs alone and repeats the others from their beginning', () => {
    openOutputFolder(folder, config, false).release();
    writeRun(0, true);
    writeRun(1, false);
    expect(openRuns(folder, config).map(({ name }) => name)).toEqual(['mgda-seed0']);
    beginRun(folder, 'mgda-seed0');
    expect(existsSync(join(folder, 'runs', 'mgda-seed0', 'steps.jsonl'))).toBe(false);
    expect(readRuns(folder, config)[0]).toEqual(runs[0]);
  });
});
