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
import { expectConstantMemory, variableOf } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readEvents } from '../testing/read-events.ts';
import { play, reportOf, startAt } from '../testing/steps.ts';
import { tensorBoard } from './tensorboard.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-events-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const now = (): number => 1_700_000_000_000;
const first = 'events.out.tfevents.0000000000.multigrad';

describe('tensorBoard', () => {
  it('writes every step’s numbers and every epoch’s histograms', async () => {
    await expectConstantMemory(async () => {
      const variable = variableOf(() => tf.tensor1d([1, 2, 3]));
      await play(
        tensorBoard(folder, { now, every: 2, variables: new Map([['kernel', variable]]) }),
        0,
        5,
      );
      variable.dispose();
    });
    const events = readEvents(folder);
    expect(events.map(({ kind, step }) => `${kind} ${step}`)).toEqual([
      'version 0',
      'start 0',
      'values 0',
      'values 2',
      'values 3',
      'values 4',
    ]);
    const group = 'encoder/near+far';
    expect(events[3]!.values).toEqual({
      'loss/near': Math.fround(1 / 3),
      'loss/far': 2,
      'accuracy/near': 0.5,
      [`norm/${group}/near`]: 1,
      [`norm/${group}/far`]: 3,
      [`cosine/${group}/near far`]: -0.5,
      [`weight/${group}/near`]: 0.25,
      [`weight/${group}/far`]: 0.75,
      [`conflict/${group}`]: 1,
      [`lambda/${group}`]: 0.5,
    });
    // Histograms are over all steps of the epoch, also those that are not written.
    expect(events[4]!.values).toEqual({
      'epoch/loss': 10,
      'epoch/near_loss': 0,
      [`histogram/norm/${group}/near`]: 4,
      [`histogram/norm/${group}/far`]: 4,
      [`histogram/cosine/${group}/near far`]: 4,
      [`histogram/weight/${group}/near`]: 4,
      [`histogram/weight/${group}/far`]: 4,
      'variable/kernel': 3,
    });
  });

  it('goes on in the same file: a half-written event goes, a mark says where training begins', async () => {
    await play(tensorBoard(folder, { now }), 0, 6);
    const before = readFileSync(join(folder, first));
    appendFileSync(join(folder, first), before.subarray(0, 30));
    await play(tensorBoard(folder, { now }), 4, 6);
    expect(readdirSync(folder)).toEqual([first]);
    expect(readFileSync(join(folder, first)).subarray(0, before.length).equals(before)).toBe(true);
    expect(
      readEvents(folder)
        .slice(-3)
        .map(({ kind, step }) => `${kind} ${step}`),
    ).toEqual(['start 4', 'values 4', 'values 5']);
  });

  it('closes an epoch once, also where it goes on before its end', async () => {
    await play(tensorBoard(folder, { now }), 0, 8);
    const logs = { loss: 9, near_loss: 1 };
    for (let kill = 0; kill < 2; kill += 1) {
      const board = tensorBoard(folder, { now });
      await board.onTrainBegin!(startAt(8, 1, 4));
      await board.onEpochEnd!(1, logs);
    }
    const next = tensorBoard(folder, { now });
    await next.onTrainBegin!(startAt(8, 2, 0));
    await next.onEpochBegin!(2);
    await next.onBatchEnd!(0, reportOf(8));
    const closed = readEvents(folder)
      .filter(({ values }) => 'epoch/loss' in values)
      .map(({ step, values }) => [step, values['epoch/loss']]);
    expect(closed).toEqual([
      [3, 10],
      [7, 9],
    ]);
    // A killed one may not have closed it.
    rmSync(join(folder, first));
    await play(tensorBoard(folder, { now }), 0, 7);
    const board = tensorBoard(folder, { now });
    await board.onTrainBegin!(startAt(7, 1, 3));
    await board.onBatchEnd!(3, reportOf(7));
    await board.onEpochEnd!(1, logs);
    expect(readEvents(folder).at(-1)!.values).toMatchObject({ 'epoch/loss': 9 });
  });

  it('leaves a damaged file as it is and begins another', async () => {
    await play(tensorBoard(folder, { now }), 0, 4);
    const bytes = readFileSync(join(folder, first));
    bytes[100]! ^= 1;
    writeFileSync(join(folder, first), bytes);
    await play(tensorBoard(folder, { now }), 4, 5);
    expect(readFileSync(join(folder, first)).equals(bytes)).toBe(true);
    expect(readdirSync(folder)).toHaveLength(2);
    expect(readEvents(folder).at(-1)).toMatchObject({ kind: 'values', step: 4 });
  });

  it('names the file that cannot be written, and refuses options that make no sense', async () => {
    mkdirSync(join(folder, first));
    await expect(play(tensorBoard(folder, { now }), 0, 1)).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining(join(folder, first)) as string,
    });
    expect(() => tensorBoard(folder, { now, every: 0 })).toThrow('`every`');
  });
});
