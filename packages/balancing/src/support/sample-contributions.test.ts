import { expectConstantMemory } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { smallNetwork, smallSamples } from '../testing/training.ts';
import { sampleContributions } from './sample-contributions.ts';

it('contributions of three modalities are sixths, rounded once, since thresholds compare them', async () => {
  await tf.setBackend('cpu');
  await expectConstantMemory(async () => {
    const network = smallNetwork(3, 'gated');
    const seen = new Set<number>();
    for (let from = 1; from <= 8; from += 1) {
      const batch = await smallSamples(from, 60).batch(
        Int32Array.from({ length: 60 }, (_, i) => i),
        { epoch: 0 },
      );
      const labels = batch['label'] as tf.Tensor1D;
      const found = await sampleContributions(network, { inputs: batch, labels, positions: null });
      labels.dataSync().forEach((label, i) => {
        const shares = network.modalities.map((m) => found[m]![i]!);
        if (label < 0) return expect(shares).toEqual([NaN, NaN, NaN]);
        const sixths = shares.map((share) => Math.round(6 * share));
        expect(shares).toEqual(sixths.map((sixth) => sixth / 6));
        const sum = sixths.reduce((total, one) => total + one, 0);
        expect([0, 18]).toContain(sum);
        for (const one of sixths) seen.add(one);
      });
      tf.dispose(batch);
    }
    expect(seen.size).toBeGreaterThan(5);
    network.dispose();
  });
});
