import { integrateMatrix, randomState, resumeRandom } from '@multigrad/core/strategy';
import { dot, expectVector, steep } from '@multigrad/test-support';
import { describe, expect, it } from 'vitest';
import { plugin, sdmgrad } from './index.ts';

const second = [
  [-3, 1, 0],
  [5, 2, 0],
];
const third = [
  [0, 0, 1],
  [5, 0, 0],
];

describe('sdmgrad', () => {
  it('does what its algorithm says, step by step', () => {
    const cross = steep.map((row) => second.map((other) => dot(row, other)));
    const mean = (Math.sqrt(cross[0]![0]!) + Math.sqrt(cross[1]![1]!)) / 2;
    let w = 0.5;
    let velocity = [0, 0];
    for (let turn = 0; turn < 20; turn += 1) {
      velocity = cross.map(
        (row, i) =>
          0.5 * velocity[i]! + (row[0]! * (w + 0.15) + row[1]! * (1 - w + 0.15)) / mean ** 2,
      );
      const [a, b] = [w - 5 * velocity[0]!, 1 - w - 5 * velocity[1]!];
      // The simplex of two: a segment.
      w = Math.max(0, Math.min(1, (a - b + 1) / 2));
    }
    const { update, state } = integrateMatrix(sdmgrad(), steep, { batches: [second, third] });
    expectVector([state['0']!], [w], 1e-10);
    expectVector(update, [(5 * (1 - w + 0.15)) / 1.3, 0, (w + 0.15) / 1.3], 1e-9);
  });

  it('stays where batches disagree, keeps one objective and absent ones', () => {
    const turned = steep.map((row) => row.map((value) => -value));
    const { note, state } = integrateMatrix(sdmgrad(), steep, { batches: [turned, third] });
    expect([note, state]).toEqual(['degenerate', { '0': 0.5, '1': 0.5 }]);
    const alone = integrateMatrix(sdmgrad(), [[1, 2]], {
      objectives: ['a'],
      batches: [[[3, 4]], [[5, 6]]],
      state: { b: 0.75 },
    });
    expectVector(alone.update, [5, 6], 1e-14);
    expect(alone.state).toEqual({ a: 1, b: 0.75 });
    expect(plugin.create().needs.batches).toBe(3);
  });

  it('amplifies rounding at its default rate, and not at 1/K', () => {
    /** The greatest change of a weight, over 200 cases, for gradients that change by a ten-millionth. */
    const changed = (size: number, learningRate: number): number => {
      const random = resumeRandom(randomState(1, 'rounding', size));
      const rows = (spread: number, around?: number[][]): number[][] =>
        Array.from({ length: size }, (_, k) =>
          Array.from({ length: 20 }, (__, c) => (around?.[k]![c] ?? 0) + spread * random.normal()),
        );
      let most = 0;
      for (let turn = 0; turn < 200; turn += 1) {
        const mean = rows(0.3);
        const [first, ...batches] = [rows(0.1, mean), rows(0.1, mean), rows(0.1, mean)];
        const weights = [
          first!,
          first!.map((row) => row.map((x) => x * (1 + 1e-7 * random.normal()))),
        ].map(
          (jacobian) => integrateMatrix(sdmgrad({ learningRate }), jacobian, { batches }).state,
        );
        for (const name of Object.keys(weights[0]!)) {
          most = Math.max(most, Math.abs(weights[0]![name]! - weights[1]![name]!));
        }
      }
      return most;
    };
    for (const size of [3, 5, 10]) {
      expect(changed(size, 1 / size)).toBeLessThan(1e-6);
      expect(changed(size, 5)).toBeGreaterThan(1e-4);
    }
  });
});
