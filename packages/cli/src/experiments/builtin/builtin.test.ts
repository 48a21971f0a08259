import { useBackend } from '@multigrad/backends';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { trainOnce } from '../../testing/train-once.ts';
import { experiments, requireExperiment } from '../index.ts';
import { resolveSettings } from '../settings.ts';

beforeAll(async () => {
  await useBackend('wasm');
});

/** A experiment in its smallest size. */
const tiny: Readonly<Record<string, string>> = {
  'train-size': '32',
  'validation-size': '20',
  'test-size': '20',
  'batch-size': '16',
  epochs: '1',
  observe: '1',
};
/** What trains here without data of the user's own. */
const runnable = [
  'cg-mnist',
  'av-digits',
  'av-digits-transformer',
  'av-digits-mmtm',
  'multi-mnist',
  'multi-mnist-noisy',
  'scenes',
] as const;

describe.each(runnable)('the experiment %s', (name) => {
  const experiment = requireExperiment(name);
  const narrow = 'width' in experiment.settings ? { width: '4' } : {};

  it('trains, validates and tests, and groups what objectives share', async () => {
    await expectConstantMemory(async () => {
      const settings = resolveSettings(experiment, 'quick', { ...tiny, ...narrow });
      const { result, epochs, steps } = await trainOnce(
        { experiment, settings, strategy: 'mmpareto', seed: 1 },
        { backend: 'wasm' },
      );
      expect(result.error).toBeUndefined();
      expect(result).toMatchObject({ status: 'finished', steps: 2 });
      const [epoch] = epochs;
      expect(Object.keys(epoch!.test)).toEqual(experiment.objectives);
      expect(Object.keys(epoch!.validation!)).toEqual(experiment.objectives);
      const accuracies = Object.values(epoch!.test).flatMap(({ accuracy }) => accuracy ?? []);
      expect(accuracies.length).toBeGreaterThan(0);
      for (const accuracy of accuracies) {
        expect(accuracy).toBeGreaterThanOrEqual(0);
        expect(accuracy).toBeLessThanOrEqual(1);
      }
      const shared = steps[1]!.groups.filter(({ objectives }) => objectives.length > 1);
      const keys = shared.map(({ key }) => key.split('/')[0]);
      if (experiment.baseline === null) {
        expect(keys).toEqual(['trunk']);
        expect(epoch!.without).toBeUndefined();
      } else {
        // Also where all objectives reach both encoders, these stay apart.
        expect(keys).toEqual(expect.arrayContaining(experiment.objectives.slice(1)));
        expect(Object.keys(epoch!.without!)).toEqual(experiment.objectives.slice(1));
      }
      for (const { cosines } of shared) expect(cosines!.flat().every(Number.isFinite)).toBe(true);
    });
  });

  it('has presets that fit together', () => {
    for (const preset of ['quick', 'full'] as const) {
      expect(Object.values(resolveSettings(experiment, preset, {}))).not.toContain(null);
    }
  });
});

describe('experiments with data of the user’s own', () => {
  it('say what is missing, and where to get it', async () => {
    const experiment = requireExperiment('fashion-and-digit');
    const settings = resolveSettings(experiment, 'quick', { ...tiny, data: 'nowhere' });
    expect(settings['data']).toBe('nowhere');
    await expect(experiment.open(settings, 0)).rejects.toThrow(
      /Found neither nowhere.train-images/,
    );
    const digits = requireExperiment('av-digits');
    const elsewhere = resolveSettings(digits, 'quick', { ...tiny, data: 'nowhere' });
    await expect(digits.open(elsewhere, 0)).rejects.toThrow('free-spoken-digit-dataset');
    expect(tf.memory().numTensors).toBe(0);
  });
});

it('gives every experiment a name and a title of its own', () => {
  for (const of of ['name', 'title'] as const) {
    expect(new Set(experiments.map((experiment) => experiment[of])).size).toBe(experiments.length);
  }
});
