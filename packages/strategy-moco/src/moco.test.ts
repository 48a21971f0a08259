import { integrateMatrix, type IntegratedMatrix } from '@multigrad/core/strategy';
import { dot, expectVector, steep } from '@multigrad/test-support';
import { describe, expect, it } from 'vitest';
import { moco, type MocoState, plugin } from './index.ts';

const rowsAt = (step: number): number[][] => [
  [1 + step, -2, 0.5],
  [0.1, step - 3, 40],
];

/** The algorithm on explicit vectors. */
function reference(steps: number, rho: number): number[][] {
  const y = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  let lambda = [0.5, 0.5];
  return Array.from({ length: steps }, (_, step) => {
    const b = 0.5 / Math.sqrt(step + 1);
    rowsAt(step).forEach((row, k) => {
      row.forEach((value, c) => {
        y[k]![c]! -= b * (y[k]![c]! - ((k + 2) * value) / Math.hypot(...row));
      });
    });
    const moved = lambda.map(
      (own, i) =>
        own -
        (0.1 / Math.sqrt(step + 1)) *
          (rho * own + lambda.reduce((sum, l, j) => sum + l * dot(y[i]!, y[j]!), 0)),
    );
    const total = moved.reduce((sum, value) => sum + Math.exp(value), 0);
    lambda = moved.map((value) => Math.exp(value) / total);
    return [0, 1, 2].map((c) => lambda.reduce((sum, l, k) => sum + l * y[k]![c]!, 0));
  });
}

describe('moco', () => {
  it.each([0, 0.3])('does what vectors do, rho %d', (rho) => {
    const strategy = moco({ rho });
    let last: IntegratedMatrix<MocoState> | undefined;
    reference(5, rho).forEach((expected, step) => {
      last = integrateMatrix(strategy, rowsAt(step), {
        losses: [2, 3],
        ...(last === undefined
          ? {}
          : {
              state: JSON.parse(JSON.stringify(last.state)) as MocoState,
              memory: last.memory!,
            }),
      });
      expectVector(last.update, expected, 1e-12);
    });
  });

  it('keeps the weight of an absent objective', () => {
    const strategy = moco();
    const first = integrateMatrix(strategy, steep, { objectives: ['a', 'b'], losses: [1, 9] });
    const alone = integrateMatrix(strategy, [steep[0]!], {
      objectives: ['a'],
      losses: [1],
      state: first.state,
      memory: first.memory!,
    });
    expect(alone.state.lambda['b']).toBe(first.state.lambda['b']);
    expect(alone.state.lambda['a']).toBe(1);
  });

  it('does not depend on the size of the gradients, and takes zero ones', () => {
    const plain = integrateMatrix(moco(), steep, { losses: [1, 2] }).update;
    for (const scale of [1e-150, 1e-15, 1e15, 1e150]) {
      const rows = steep.map((row) => row.map((value) => value * scale));
      expectVector(integrateMatrix(moco(), rows, { losses: [1, 2] }).update, [...plain], 1e-14);
    }
    expectVector(
      integrateMatrix(
        moco({ beta: 1 }),
        [
          [0, 0],
          [0, 3],
        ],
        { losses: [1, 1] },
      ).update,
      [0, 1 / (1 + Math.exp(0.05))],
      1e-12,
    );
    expect(plugin.create().name).toBe(plugin.name);
  });
});
