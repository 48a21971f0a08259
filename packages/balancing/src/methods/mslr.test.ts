import { describe, expect, it } from 'vitest';
import type { EpochEnd } from '../contract/method.ts';
import { describeBalancing } from '../testing/conformance.ts';
import { mslr, type MslrState, plugin } from './mslr.ts';

describeBalancing({ plugin, options: { 'rates.a': '0.3', history: '2' } });

const modalities = ['a', 'b'];
const network = { modalities, objectives: ['joint', ...modalities], classes: 2 };
const end = (epoch: number, accuracies: readonly number[]): EpochEnd => ({
  epoch,
  network: {} as EpochEnd['network'],
  logs: {},
  trainingLosses: {},
  validationMetrics: Object.fromEntries(
    modalities.map((name, k) => [name, { loss: 1, accuracy: accuracies[k]! }]),
  ),
});
const step = { step: 0, losses: {}, readings: {}, tensors: {}, signals: {} };

describe('mslr', () => {
  it.each([
    { history: 1, rates: [1, 1] },
    { history: 2, rates: [1, 0.1] },
    { history: 3, rates: [0.5, 2] },
    { history: 5, rates: [1, 1] },
    { history: 10, rates: [0.02, 1] },
  ])('follows accuracies over ten epochs, and twice that: %j', ({ history, rates }) => {
    const method = mslr({ history, rates: { a: rates[0]!, b: rates[1]! } });
    let state = method.init(network);
    const seen: number[][] = [];
    const expected = [...rates];
    for (let epoch = 0; epoch < 20; epoch += 1) {
      const now = [0.5 + Math.sin(epoch) / 4, 0.4 + Math.cos(3 * epoch) / 5];
      seen.push(now);
      state = method.afterEpoch!(
        end(epoch, now),
        JSON.parse(JSON.stringify(state)) as MslrState,
      ) as MslrState;
      if ((epoch + 1) % history === 0) {
        const last = seen.slice(-history);
        expected.forEach((rate, k) => {
          const mean = last.reduce((sum, one) => sum + one[k]!, 0) / last.length;
          expected[k] = rate * (now[k]! / mean);
        });
      }
      const { parts } = method.modulate!(step, state);
      modalities.forEach((name, k) => {
        expect(parts[name]!.rate! / expected[k]!).toBeCloseTo(1, 12);
      });
      expect(Object.keys(parts)).toEqual(modalities);
    }
  });

  it('keeps the rates where it is told to, and then needs no validation', () => {
    const method = mslr({ mode: 'keep', rates: { b: 0.1 } });
    expect(method.needs).toEqual({});
    const state = method.init(network);
    expect(method.afterEpoch!(end(4, [0.1, 0.9]), state)).toBe(state);
    expect(method.modulate!(step, state).parts).toEqual({ a: { rate: 1 }, b: { rate: 0.1 } });
  });

  it('leaves a rate alone where nothing was right, and refuses what it cannot follow', () => {
    const method = mslr({ history: 1 });
    const state = method.init(network);
    const next = method.afterEpoch!(end(0, [0, 0.5]), state) as MslrState;
    expect(next.rates).toEqual({ a: 1, b: 1 });
    expect(() => mslr({ rates: { image: 1 } }).init(network)).toThrow('a, b. Found `image`');
    expect(() => method.afterEpoch!(end(0, [NaN, 1]), state)).toThrow('accuracy of `a`');
  });
});
