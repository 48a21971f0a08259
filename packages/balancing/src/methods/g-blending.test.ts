import { describe, expect, it } from 'vitest';
import type { EpochEnd } from '../contract/method.ts';
import { describeBalancing } from '../testing/conformance.ts';
import { gBlending, type GBlendingState, plugin } from './g-blending.ts';

describeBalancing({ plugin, rate: 0.2 });

type Losses = Readonly<Record<string, readonly [training: number, validation: number]>>;

const end = (epoch: number, losses: Losses): EpochEnd => ({
  epoch,
  network: {} as EpochEnd['network'],
  logs: {},
  trainingLosses: Object.fromEntries(Object.entries(losses).map(([name, [t]]) => [name, t])),
  validationLosses: Object.fromEntries(Object.entries(losses).map(([name, [, v]]) => [name, v])),
});
const network = { modalities: ['a'], objectives: ['joint', 'a'], classes: 2 };

function play(epochs: readonly Losses[], options = {}): GBlendingState['weights'][] {
  const method = gBlending(options);
  let state = method.init(network);
  return epochs.map((losses, epoch) => {
    const kept = JSON.parse(JSON.stringify(state)) as GBlendingState;
    state = method.afterEpoch!(end(epoch, losses), kept) as GBlendingState;
    return method.lossWeights!(state);
  });
}

describe('gBlending', () => {
  it('weighs by generalisation over the square of overfitting, with mean 1', () => {
    const seen = play([
      { joint: [2, 2], a: [3, 3] },
      // G = 0.5 and 1, O = 0.5 and 0.5: ratios 2 and 4.
      { joint: [1, 1.5], a: [1.5, 2] },
      // Now a does not generalise.
      { joint: [0.5, 1.2], a: [1, 2.5] },
      // Nothing does: the weights stay.
      { joint: [0.4, 1.2], a: [1, 2.6] },
    ]);
    expect(seen[0]).toEqual({ joint: 1, a: 1 });
    expect(seen[1]!['joint']).toBeCloseTo(2 / 3, 12);
    expect(seen[1]!['a']).toBeCloseTo(4 / 3, 12);
    expect(seen[2]).toEqual({ joint: 2, a: 0 });
    expect(seen[3]).toEqual({ joint: 2, a: 0 });
  });

  it('estimates every few epochs', () => {
    const epochs = [0, 1, 2, 3].map((epoch): Losses => ({
      joint: [4 - epoch, 4 - epoch / 2],
      a: [1, 1],
    }));
    expect(play(epochs, { every: 2 }).map((weights) => weights['joint'])).toEqual([1, 2, 2, 2]);
  });

  it.each([1, 2, 3, 4, 5])('is the rule of the paper over ten epochs: case %i', (seed) => {
    const epochs = Array.from({ length: 10 }, (_, epoch): Losses => {
      const wave = (k: number): number => 1 + Math.exp(-epoch / 3) + Math.sin(seed * epoch + k) / 5;
      return { joint: [wave(1), wave(2)], a: [wave(3), wave(4)] };
    });
    let expected: number[] = [1, 1];
    play(epochs).forEach((weights, epoch) => {
      if (epoch > 0) {
        const raw = ['joint', 'a'].map((name) => {
          const [[t0, v0], [t1, v1]] = [epochs[epoch - 1]![name]!, epochs[epoch]![name]!];
          const g = v0 - v1;
          if (g <= 0) return 0;
          const o = Math.max(Math.abs(v1 - t1 - (v0 - t0)), 0.01 * g);
          return g / (o * o);
        });
        const sum = raw[0]! + raw[1]!;
        if (sum > 0) expected = raw.map((one) => (2 * one) / sum);
      }
      expect(weights['joint']).toBeCloseTo(expected[0]!, 10);
      expect(weights['a']).toBeCloseTo(expected[1]!, 10);
    });
  });

  it('refuses epochs without validation losses, and options out of range', () => {
    expect(() => gBlending({ every: 0 })).toThrow('`every` of `g-blending`');
    expect(() => play([{ joint: [1, NaN], a: [1, 1] }])).toThrow('validation loss of `joint`');
  });
});
