import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrainerCallback } from '@multigrad/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { play, reportOf, startAt } from '../testing/steps.ts';
import { csvLogger } from './csv.ts';
import { jsonLines } from './json-lines.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-files-'));
  file = join(folder, 'deep', 'log');
});
afterEach(() => rmSync(folder, { recursive: true }));

const text = (): string => readFileSync(file, 'utf8');
const lines = (): Record<string, unknown>[] =>
  text()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe.each([
  ['jsonLines', (path: string): TrainerCallback => jsonLines(path), '{"step":'],
  ['csvLogger', (path: string): TrainerCallback => csvLogger(path), 'epo'],
])('%s', (_, make, half) => {
  it('ends up with the same file, wherever training was cut off and goes on', async () => {
    await play(make(file), 0, 12);
    const whole = text();
    for (const [until, from] of [
      [3, 0],
      [6, 4],
      [11, 4],
      [12, 8],
      [12, 0],
    ] as const) {
      rmSync(file);
      await play(make(file), 0, until);
      if (until > 4) appendFileSync(file, whole.slice(whole.length - 12, -3));
      await play(make(file), from, 12);
      expect(text()).toBe(whole);
    }
  });

  it('takes up a file of which not one line is whole', async () => {
    await play(make(file), 0, 4);
    const whole = text();
    for (const begun of ['', half]) {
      writeFileSync(file, begun);
      await play(make(file), 0, 4);
      expect(text()).toBe(whole);
    }
  });

  it('leaves alone what it did not write, and names it', async () => {
    mkdirSync(join(folder, 'deep'));
    for (const foreign of ['my notes', 'my notes\n', '{"mine": 1}\n', '1,2\n3,4\n']) {
      writeFileSync(file, foreign);
      await expect(play(make(file), 0, 4)).rejects.toMatchObject({
        code: 'invalid-data',
        message: expect.stringContaining(file) as string,
      });
      expect(text()).toBe(foreign);
    }
  });

  it('names the file that cannot be written', async () => {
    mkdirSync(file, { recursive: true });
    await expect(play(make(file), 0, 4)).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(/^Cannot (read|write) .*log: .*directory.*\.$/) as string,
    });
  });
});

const begin = startAt(0, 0, 0);

describe('jsonLines', () => {
  it('has a line for every n-th step and for every epoch', async () => {
    await play(jsonLines(file, { every: 3 }), 0, 8);
    expect(lines().map((line) => [line['epoch'], line['step'], 'logs' in line])).toEqual([
      [0, 0, false],
      [0, 3, false],
      [0, 3, true],
      [1, 6, false],
      [1, 7, true],
    ]);
    const { step, losses, metrics, groups, backwardPasses, observed } = reportOf(3);
    expect(lines()[1]).toEqual({
      step,
      epoch: 0,
      losses,
      metrics,
      groups,
      backwardPasses,
      observed,
    });
    expect(lines()[2]).toEqual({ epoch: 0, step: 3, logs: { loss: 10, near_loss: 0 } });
    expect(() => jsonLines(file, { every: 1.5 })).toThrow('`every`');
  });

  it('goes on in the midst of an epoch, before its end and after it as if nothing had happened', async () => {
    await play(jsonLines(file), 0, 8);
    const whole = text();
    await play(jsonLines(file), 6, 8);
    expect(text()).toBe(whole);
    const log = jsonLines(file);
    await log.onTrainBegin!(startAt(8, 1, 4));
    await log.onEpochEnd!(1, { loss: 9, near_loss: 1 });
    expect(text()).toBe(whole);
    await jsonLines(file).onTrainBegin!(startAt(8, 2, 0));
    expect(text()).toBe(whole);
  });

  it('has each line on disk before the next step', async () => {
    const log = jsonLines(file);
    await log.onTrainBegin!(begin);
    await log.onEpochBegin!(0);
    for (let step = 0; step < 3; step += 1) {
      await log.onBatchEnd!(step, reportOf(step));
      expect(lines()).toHaveLength(step + 1);
    }
  });
});

describe('csvLogger', () => {
  it('adds a column for a name that appears later, and leaves cells empty', async () => {
    const log = csvLogger(file);
    await log.onTrainBegin!(begin);
    await log.onEpochEnd!(0, { loss: 1 });
    await log.onEpochEnd!(1, { loss: NaN, 'a,"b"': 2.5 });
    await log.onEpochEnd!(2, { 'a,"b"': 1e-9 });
    expect(text()).toBe('epoch,loss,"a,""b"""\r\n0,1,\r\n1,NaN,2.5\r\n2,,1e-9\r\n');
    const next = csvLogger(file);
    await next.onTrainBegin!(begin);
    await next.onEpochEnd!(2, { loss: 3 });
    expect(text()).toBe('epoch,loss,"a,""b"""\r\n0,1,\r\n1,NaN,2.5\r\n2,3,\r\n');
    expect(readdirSync(join(folder, 'deep'))).toEqual(['log']);
  });
});
