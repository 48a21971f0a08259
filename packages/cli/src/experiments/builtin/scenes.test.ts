import { useBackend } from '@multigrad/backends';
import type { MemorySource } from '@multigrad/datasets';
import type { MultiTaskNetwork } from '@multigrad/models';
import { expectConstantMemory } from '@multigrad/test-support';
import type * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { resolveSettings } from '../settings.ts';
import { scenes } from './scenes.ts';

it('measures intersection over union on the whole set, whatever the batches', async () => {
  await useBackend('wasm');
  await expectConstantMemory(async () => {
    const settings = resolveSettings(scenes, 'quick', { 'test-size': '12', width: '2' });
    const opened = await scenes.open(settings, 1);
    const { network, data } = opened;
    const test = data.test as MemorySource<tf.NamedTensorMap>;
    const batches = function* (size: number) {
      for (let first = 0; first < 12; first += size) {
        const positions = Int32Array.from({ length: size }, (_, k) => first + k);
        yield test.batch(positions);
      }
    };
    const iou = async (size: number): Promise<number> => {
      const measured = await opened.evaluate!(inOrder(batches(size)));
      return (measured as Record<string, Record<string, number>>)['segmentation']!['iou']!;
    };
    const whole = await iou(12);
    expect(whole).toBeGreaterThan(0);
    expect(await iou(4)).toBe(whole);
    expect(await iou(1)).toBe(whole);
    (network as MultiTaskNetwork<string>).dispose();
  });
});

async function* inOrder<T>(batches: Iterable<T>): AsyncGenerator<Awaited<T>> {
  for (const batch of batches) yield await batch;
}
