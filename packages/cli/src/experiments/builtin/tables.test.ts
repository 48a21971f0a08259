import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useBackend } from '@multigrad/backends';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  writeNutrimouse,
  writeSolarFlares,
  writeYeast,
} from '../../../../datasets/src/testing/write-tables.ts';
import { trainOnce } from '../../testing/train-once.ts';
import { requireExperiment } from '../index.ts';
import { prepareExperiment } from '../prepare.ts';
import { resolveSettings } from '../settings.ts';

// Experiments on small tables, each on a made-up copy of its data in which targets follow from inputs.

let folder = '';
beforeAll(async () => {
  await useBackend('wasm');
  folder = mkdtempSync(join(tmpdir(), 'multigrad-tables-'));
  writeNutrimouse(folder, 4);
  writeSolarFlares(join(folder, 'solar-flare.csv'), 120);
  writeYeast(join(folder, 'yeast.arff'), 200, 'mulan');
});
afterAll(() => rmSync(folder, { recursive: true }));

const cases = [
  {
    name: 'nutrimouse',
    data: '',
    // 40 mice: 10 test, 8 validate.
    settings: { epochs: '20', lr: '0.03' },
    steps: 40,
    group: ['diet', 'diet-genes', 'genotype', 'genotype-genes'],
    learns: ['diet', 'genotype'],
  },
  {
    name: 'solar-flare',
    data: 'solar-flare.csv',
    settings: { epochs: '20', lr: '0.03', 'validation-size': '20', 'batch-size': '16' },
    steps: 80,
    group: ['common', 'moderate', 'severe'],
    learns: ['common'],
  },
  {
    name: 'yeast',
    data: 'yeast.arff',
    settings: { epochs: '15', lr: '0.03', 'validation-size': '20', 'batch-size': '16' },
    steps: 120,
    group: Array.from({ length: 14 }, (_, k) => `class-${k + 1}`),
    learns: ['class-1'],
  },
] as const;

describe.each(cases)('the experiment $name', ({ name, data, settings, steps, group, learns }) => {
  const experiment = requireExperiment(name);
  const resolved = (change: Readonly<Record<string, string>> = {}) =>
    resolveSettings(experiment, 'quick', {
      ...settings,
      ...{ observe: '1', data: join(folder, data) },
      ...change,
    });

  it('learns from a copy of the data, validates, and tests on a fold', async () => {
    await expectConstantMemory(async () => {
      const {
        result,
        epochs,
        steps: seen,
      } = await trainOnce(
        { experiment, settings: resolved(), strategy: 'sum', seed: 1 },
        { backend: 'wasm' },
      );
      expect(result.error).toBeUndefined();
      expect(result).toMatchObject({ status: 'finished', steps });
      const [first, last] = [epochs[0]!, epochs.at(-1)!];
      expect(Object.keys(last.test)).toEqual(experiment.objectives);
      expect(Object.keys(last.validation!)).toEqual(experiment.objectives);
      for (const objective of learns) {
        expect(last.train[objective]!.loss).toBeLessThan(0.7 * first.train[objective]!.loss);
      }
      const shared = seen.at(-1)!.groups.find(({ objectives }) => objectives.length > 1)!;
      expect(shared.objectives).toEqual(group);
    });
  });

  it('tests on the same fold again after as many seeds, and on each sample once before', async () => {
    const counts: number[] = [];
    for (const seed of [0, 1, 2, 3, 4, 5]) {
      const prepared = await prepareExperiment(experiment, resolved(), seed);
      let count = 0;
      for await (const batch of prepared.test()) {
        count += Object.values(batch)[0]!.shape[0]!;
        tf.dispose(batch);
      }
      prepared.dispose();
      counts.push(count);
    }
    const total = { nutrimouse: 40, 'solar-flare': 120, yeast: 200 }[name];
    expect(counts.slice(0, 5).reduce((a, b) => a + b, 0)).toBe(total);
    expect(counts[5]).toBe(counts[0]);
  });

  it('says where to get the data, and what leaves too few to train on', async () => {
    expect(() => resolved({ data: '' })).toThrow(`Option \`data\` of \`${name}\` is required.`);
    const most = String({ nutrimouse: 28, 'solar-flare': 90, yeast: 150 }[name]);
    await expect(experiment.open(resolved({ 'validation-size': most }), 0)).rejects.toThrow(
      `of \`${name}\` should leave`,
    );
  });
});
