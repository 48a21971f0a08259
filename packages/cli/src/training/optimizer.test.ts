import { cosineDecay } from '@multigrad/core';
import { describe, expect, it } from 'vitest';
import { learningRateOf, type Place } from './optimizer.ts';

describe('the learning rate of a run', () => {
  const settings = { schedule: 'cosine', lr: 0.1, epochs: 4 };
  const rateAt = (place: Place): number =>
    learningRateOf(settings, 6, () => place).learningRate!(0);
  const plain = cosineDecay({ rate: 0.1, steps: 24 });

  it('follows the cosine step by step where all epochs have as many steps', () => {
    for (let step = 0; step < 24; step++) {
      const place = { epoch: Math.floor(step / 6), step: step % 6, steps: 6 };
      expect(rateAt(place)).toBe(plain(step));
    }
  });

  it('goes by epochs where one has more steps, or fewer', () => {
    expect(rateAt({ epoch: 2, step: 0, steps: 18 })).toBe(plain(12));
    expect(rateAt({ epoch: 2, step: 9, steps: 18 })).toBe(plain(15));
    expect(rateAt({ epoch: 3, step: 1, steps: 2 })).toBe(plain(21));
  });

  it('is the optimizer’s where there is no schedule', () => {
    const place = (): Place => ({ epoch: 0, step: 0, steps: 6 });
    expect(learningRateOf({ ...settings, schedule: 'constant' }, 6, place)).toEqual({});
  });
});
