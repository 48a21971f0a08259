import { useBackend } from '@multigrad/backends';
import type { MemorySource } from '@multigrad/datasets';
import type { MultiTaskNetwork } from '@multigrad/models';
import { expectConstantMemory } from '@multigrad/test-support';
import type * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { resolveSettings } from '../settings.ts';
import { scenes } from './scenes.ts';

it('measures intersection over union and angles on the whole set, whatever the batches', async () => {
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
    const measured = async (size: number) =>
      (await opened.evaluate!(inOrder(batches(size)))) as Record<string, Record<string, number>>;
    const whole = await measured(12);
    expect(whole['segmentation']!['iou']).toBeGreaterThan(0);
    const { angle, median, within11, within22, within30 } = whole['normal']!;
    for (const degrees of [angle, median]) {
      expect(degrees).toBeGreaterThan(0);
      expect(degrees).toBeLessThan(180);
    }
    expect(within11).toBeLessThanOrEqual(within22!);
    expect(within22).toBeLessThanOrEqual(within30!);
    for (const size of [4, 1]) {
      const again = await measured(size);
      expect(again['segmentation']).toEqual(whole['segmentation']);
      for (const [name, value] of Object.entries(whole['normal']!))
        expect(again['normal']![name]).toBeCloseTo(value, 4);
    }
    (network as MultiTaskNetwork<string>).dispose();
  });
});

async function* inOrder<T>(batches: Iterable<T>): AsyncGenerator<Awaited<T>> {
  for (const batch of batches) yield await batch;
}
