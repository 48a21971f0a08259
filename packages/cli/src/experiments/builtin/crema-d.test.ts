import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useBackend } from '@multigrad/backends';
import { expectConstantMemory } from '@multigrad/test-support';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainOnce } from '../../testing/train-once.ts';
import { requireExperiment } from '../index.ts';
import { resolveSettings } from '../settings.ts';

const experiment = requireExperiment('crema-d');
const emotions = ['NEU', 'HAP', 'SAD', 'FEA', 'DIS', 'ANG'];
let folder: string;

/** A wav file of 16-bit samples at 8 kHz. */
function wav(samples: readonly number[]): Buffer {
  const bytes = Buffer.alloc(44 + 2 * samples.length);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  [16, 0x0001_0001, 8000, 16_000, 0x0010_0002].forEach((word, k) =>
    bytes.writeUInt32LE(word, 16 + 4 * k),
  );
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(2 * samples.length, 40);
  samples.forEach((sample, k) => bytes.writeInt16LE(Math.round(20_000 * sample), 44 + 2 * k));
  return bytes;
}

beforeAll(async () => {
  await useBackend('wasm');
  folder = mkdtempSync(join(tmpdir(), 'multigrad-crema-d-'));
  mkdirSync(join(folder, 'AudioWAV'));
  const lists: Record<string, string[]> = { 'train.csv': [], 'test.csv': [] };
  for (let clip = 0; clip < 18; clip += 1) {
    const name = `clip${clip}`;
    lists[clip < 12 ? 'train.csv' : 'test.csv']!.push(`${name},${emotions[clip % 6]!}`);
    const sound = Array.from({ length: 400 }, (_, n) => Math.sin(n * (clip + 1)));
    writeFileSync(join(folder, 'AudioWAV', `${name}.wav`), wav(sound));
    mkdirSync(join(folder, 'Image-01-FPS', name), { recursive: true });
    const background = { r: 12 * clip, g: 100, b: 50 };
    const create = { width: 40, height: 30, channels: 3, background } as const;
    for (const frame of ['frame_1.jpg', 'frame_2.jpg']) {
      await sharp({ create })
        .jpeg()
        .toFile(join(folder, 'Image-01-FPS', name, frame));
    }
  }
  for (const [list, lines] of Object.entries(lists)) {
    writeFileSync(join(folder, list), lines.join('\n'));
  }
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
