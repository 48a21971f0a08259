import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { EpochEnd } from '../contract/method.ts';
import { describeBalancing } from '../testing/conformance.ts';
import { trainSmall } from '../testing/training.ts';
import { mses, type MsesState, plugin } from './mses.ts';

// No loss falls by ten: everything stops after the second epoch.
describeBalancing({ plugin, options: { patience: '1', minDelta: '10' } });

const network = { modalities: ['a', 'b'], objectives: ['joint', 'a', 'b'], classes: 2 };
const end = (epoch: number, a: number, b: number): EpochEnd => ({
  epoch,
  network: {} as EpochEnd['network'],
  logs: {},
  trainingLosses: {},
  validationLosses: { joint: 1, a, b },
});

describe('mses', () => {
  it.each([
    { patience: 1, minDelta: 0 },
    { patience: 2, minDelta: 0 },
    { patience: 3, minDelta: 0.05 },
    { patience: 1, minDelta: 0.2 },
    { patience: 4, minDelta: 0.01 },
  ])('stops each modality by itself, over ten epochs: %j', ({ patience, minDelta }) => {
    const method = mses({ patience, minDelta });
    let state = method.init(network);
    const courses = [
      Array.from({ length: 10 }, (_, t) => 2 - t / 6 + Math.sin(2 * t) / 8),
      Array.from({ length: 10 }, (_, t) => 1 + (t - 3) ** 2 / 20),
    ];
    for (let epoch = 0; epoch < 10; epoch += 1) {
      state = method.afterEpoch!(
        end(epoch, courses[0]![epoch]!, courses[1]![epoch]!),
        JSON.parse(JSON.stringify(state)) as MsesState,
      ) as MsesState;
      const { parts } = method.modulate!(
        { step: 0, losses: {}, readings: {}, tensors: {}, signals: {} },
        state,
      );
      network.modalities.forEach((name, k) => {
        // From the whole course so far: stopped where some epoch was `patience` epochs behind the best before it.
        let [best, at, stopped] = [Infinity, 0, false];
        courses[k]!.slice(0, epoch + 1).forEach((loss, t) => {
          if (stopped) return;
          if (t === 0 || loss < best - minDelta) [best, at] = [loss, t];
          else stopped = t - at >= patience;
        });
        expect(parts[name] === null).toBe(stopped);
        expect(parts[`head/${name}`] === null).toBe(stopped);
      });
    }
  });

  it('leaves the weights of a stopped encoder and head as they are, and trains the others on', async () => {
    await tf.setBackend('cpu');
    const options = { patience: 1, minDelta: 10 };
    const stopped = await trainSmall({ method: mses(options), epochs: 2 });
    const later = await trainSmall({ method: mses(options), epochs: 4 });
    const still = Object.keys(later.weights).filter((name) =>
      /^(?:a|b|head\/a|head\/b)\//.test(name),
    );
    expect(still.length).toBeGreaterThan(0);
    for (const name of still) expect(later.weights[name]).toEqual(stopped.weights[name]);
    expect(later.weights['head/joint/kernel']).not.toEqual(stopped.weights['head/joint/kernel']);
  });

  it('refuses epochs without a validation loss', () => {
    const method = mses();
    expect(() => method.afterEpoch!(end(0, NaN, 1), method.init(network))).toThrow('loss of `a`');
  });
});
