import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { useBackend } from '@multigrad/backends';
import { expectConstantMemory } from '@multigrad/test-support';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cremaDCopy } from '../../testing/crema-d-copy.ts';
import { trainOnce } from '../../testing/train-once.ts';
import { requireExperiment } from '../index.ts';
import { resolveSettings } from '../settings.ts';

const experiment = requireExperiment('crema-d');
let folder: string;

beforeAll(async () => {
  await useBackend('wasm');
  folder = await cremaDCopy();
});

afterAll(() => rmSync(folder, { recursive: true }));

const settings = (change: Readonly<Record<string, string>> = {}) =>
  resolveSettings(experiment, 'quick', {
    'train-size': '6',
    'validation-size': '6',
    'test-size': '6',
    'batch-size': '3',
    epochs: '1',
    width: '2',
    'frame-size': '32',
    data: folder,
    ...change,
  });

describe('the experiment crema-d', () => {
  it('trains, validates and tests on a copy of the official layout', async () => {
    await expectConstantMemory(async () => {
      const { result, epochs } = await trainOnce(
        { experiment, settings: settings(), strategy: 'mmpareto' },
        { backend: 'wasm' },
      );
      expect(result.error).toBeUndefined();
      expect(result).toMatchObject({ status: 'finished', steps: 2 });
      expect(Object.keys(epochs[0]!.test)).toEqual(['multimodal', 'audio', 'image']);
      expect(Object.keys(epochs[0]!.without!)).toEqual(['audio', 'image']);
    });
  });

  it('says where to get the data, and how many clips a copy has', async () => {
    expect(() => settings({ data: '' })).toThrow(
      'https://github.com/CheyneyComputerScience/CREMA-D',
    );
    await expect(experiment.open(settings({ 'train-size': '7' }), 0)).rejects.toThrow(
      'Option `train-size` of `crema-d` should be at most the number of clips in this copy, 6. Found 7.',
    );
    await expect(experiment.open(settings({ data: join(folder, 'nowhere') }), 0)).rejects.toThrow(
      'which lists clips of CREMA-D',
    );
  });
});
