import {
  createStrategy,
  gramianOf,
  groupGradients,
  integrateMatrix,
} from '@multigrad/core/strategy';
import { bent, expectVector, steep } from '@multigrad/test-support';
import { describe, expect, it } from 'vitest';
import { mmpareto, type MmparetoOptions, plugin } from './index.ts';

/** What the strategy itself returns, diagnostics included. */
function integrate(jacobian: readonly (readonly number[])[], options?: MmparetoOptions) {
  const strategy = mmpareto(options);
  const seen = groupGradients({
    objectives: jacobian.map((_, k) => `objective-${k}`),
    gramian: gramianOf(jacobian),
  });
  return strategy.integrate(seen, null);
}

describe('mmpareto', () => {
  it('has the values of the paper’s formula on the two published matrices', () => {
    // a = (.6, .4), h = 2 (0, 1, 1), |s| = |(2, 2, 2)|: λ = √12 / √8.
    const lambda = Math.sqrt(1.5);
    const first = integrateMatrix(mmpareto(), steep);
    expectVector(first.weights, [1.8 * lambda, 1.2 * lambda]);
    expectVector(first.update, [0, 3 * lambda, 3 * lambda]);
    expect(integrate(steep).note).toBe('conflict');
    expect(integrate(steep).diagnostics?.['lambda']).toBeCloseTo(lambda, 12);
    // a = (.6, .4, 0), h = 3 (.4, .2), s = (2, 0).
    const bentLambda = 2 / Math.sqrt(1.8);
    expectVector(integrateMatrix(mmpareto({ gamma: 1 }), bent).update, [
      1.2 * bentLambda,
      0.6 * bentLambda,
    ]);
    expect(integrate(bent).diagnostics?.['lambda']).toBeCloseTo(bentLambda, 12);
  });

  it('is gamma times the sum without a conflict, right angles included', () => {
    const agreeing = [
      [1, 0, 0],
      [0, 2, 0],
      [1, 1, 3],
    ];
    expect([...integrate(agreeing).weights]).toEqual([1.5, 1.5, 1.5]);
    expect([...integrate(agreeing, { gamma: 1 }).weights]).toEqual([1, 1, 1]);
    expect(integrate(agreeing).note).toBeUndefined();
    expect(integrate(agreeing).diagnostics).toEqual({ lambda: 1 });
  });

  it('scales with gamma', () => {
    const once = integrate(steep, { gamma: 1 }).weights;
    const threefold = integrate(steep, { gamma: 3 }).weights;
    expectVector(
      threefold,
      [...once].map((weight) => 3 * weight),
      1e-12,
    );
  });

  it('weighs one objective gamma', () => {
    expect([...integrate([[3, -1]]).weights]).toEqual([1.5]);
    expect([...integrate([[0, 0]]).weights]).toEqual([1.5]);
  });

  it('lets zero gradients take no part', () => {
    const zero = [0, 0, 0];
    expect([...integrateMatrix(mmpareto(), [steep[0]!, zero]).update]).toEqual([-6, 1.5, 1.5]);
    expect([...integrateMatrix(mmpareto(), [zero, zero]).update]).toEqual([0, 0, 0]);
    const among = integrate([steep[0]!, zero, steep[1]!]);
    const alone = integrate(steep);
    expect(among.weights[1]).toBe(0);
    expectVector(Float64Array.of(among.weights[0]!, among.weights[2]!), [...alone.weights], 0);
    expect(among.diagnostics).toEqual(alone.diagnostics);
  });

  it('takes duplicates as often as they come', () => {
    const agreeing = integrateMatrix(mmpareto({ gamma: 1 }), [
      [3, 1],
      [3, 1],
    ]);
    expect([...agreeing.update]).toEqual([6, 2]);
    // s = (−2, 3, 3), the direction is that of (0, 1, 1).
    const { update } = integrateMatrix(mmpareto({ gamma: 1 }), [steep[0]!, steep[0]!, steep[1]!]);
    expectVector(update, [0, Math.sqrt(11), Math.sqrt(11)]);
  });

  it('gives no update where no common descent direction exists', () => {
    for (const jacobian of [
      [
        [3, 1],
        [-3, -1],
      ],
      [
        [3, 1],
        [-6, -2],
      ],
      [
        [1, 0],
        [-1, 1],
        [-1, -1],
      ],
      [
        [1, 0],
        [-1, 1e-12],
      ],
    ]) {
      const { weights, note, diagnostics } = integrate(jacobian);
      expect([...weights]).toEqual(jacobian.map(() => 0));
      expect(note).toBe('stationary');
      expect(diagnostics).toBeUndefined();
    }
  });

  it('caps lambda on request', () => {
    // Nearly opposite: |h| is small, λ large.
    const narrow = [
      [1, 0.01],
      [-2, 0.01],
    ];
    const free = integrate(narrow);
    expect(free.diagnostics?.['lambda']).toBeCloseTo(Math.hypot(1, 0.02) / 0.02, 6);
    const capped = integrate(narrow, { maxRescale: 4 });
    expect(capped.diagnostics).toEqual({ lambda: 4 });
    expectVector(
      capped.weights,
      [...free.weights].map((weight) => (weight * 4) / free.diagnostics!['lambda']!),
      1e-9,
    );
    expect(integrate(steep, { maxRescale: 4 })).toEqual(integrate(steep));
  });

  it('refuses options that do not fit', () => {
    expect(() => mmpareto({ gamma: 0.5 })).toThrow(
      'Option `gamma` of `mmpareto` should be a number >= 1. Found 0.5.',
    );
    expect(() => mmpareto({ maxRescale: 0.5 })).toThrow(
      'Option `maxRescale` of `mmpareto` should be a number >= 1, or null (off). Found 0.5.',
    );
    expect(() => createStrategy(plugin, { rescale: 'tensors' })).toThrow('Did you mean `tensor`?');
  });
});

describe('plugin', () => {
  it('describes the factory', () => {
    expect(plugin.name).toBe(mmpareto().name);
    expect(createStrategy(plugin).needs).toEqual({ gradients: 'gramian' });
    expect(createStrategy(plugin, { rescale: 'tensor' }).needs).toEqual({
      gradients: 'tensor-gramians',
    });
    const made = createStrategy(plugin, { gamma: '2', maxRescale: 'off' });
    const seen = groupGradients({ objectives: ['a'], gramian: gramianOf([[1]]) });
    expect([...made.integrate(seen, null).weights]).toEqual([2]);
  });
});
