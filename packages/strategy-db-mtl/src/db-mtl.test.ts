import { integrateMatrix, type IntegratedMatrix } from '@multigrad/core/strategy';
import { expectVector, steep } from '@multigrad/test-support';
import { describe, expect, it } from 'vitest';
import { dbMtl, type DbMtlState, plugin } from './index.ts';

const rowsAt = (step: number): number[][] => [
  [1 + step, -2, 0.5],
  [0.1, step - 3, 40],
];

/** The paper's update on explicit vectors. */
function reference(steps: number, beta: number, sigma: number): number[][] {
  const memory = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  return Array.from({ length: steps }, (_, step) => {
    const b = beta / (step + 1) ** sigma;
    rowsAt(step).forEach((row, k) => {
      row.forEach((value, c) => {
        memory[k]![c] = b * memory[k]![c]! + ((1 - b) * value) / (k + 2 + 1e-8);
      });
    });
    const lengths = memory.map((row) => Math.hypot(...row));
    const longest = Math.max(...lengths);
    return [0, 1, 2].map((c) =>
      memory.reduce((sum, row, k) => sum + (longest / lengths[k]!) * row[c]!, 0),
    );
  });
}

describe('dbMtl', () => {
  it.each([
    [0.9, 0],
    [0.5, 0.5],
    [0, 0],
  ])('does what vectors do, beta %d, sigma %d', (beta, betaSigma) => {
    const strategy = dbMtl({ beta, betaSigma });
    let last: IntegratedMatrix<DbMtlState> | undefined;
    reference(5, beta, betaSigma).forEach((expected, step) => {
      last = integrateMatrix(strategy, rowsAt(step), {
        losses: [2, 3],
        ...(last === undefined
          ? {}
          : {
              state: JSON.parse(JSON.stringify(last.state)) as DbMtlState,
              memory: last.memory!,
            }),
      });
      expectVector(last.update, expected, 1e-10);
    });
  });

  it('keeps what an absent objective had, and counts its own steps', () => {
    const strategy = dbMtl({ betaSigma: 1 });
    const first = integrateMatrix(
      strategy,
      [
        [1, 0],
        [0, 1],
      ],
      { objectives: ['a', 'b'], losses: [1, 1] },
    );
    const alone = integrateMatrix(strategy, [[0, 2]], {
      objectives: ['b'],
      losses: [1],
      state: first.state,
      memory: first.memory!,
    });
    expect(alone.state).toEqual({ a: 1, b: 2 });
    expect([...alone.memory!.get('a')!]).toEqual([...first.memory!.get('a')!]);
  });

  it('has finite answers for zero, opposite and extreme gradients', () => {
    expectVector(
      integrateMatrix(
        dbMtl(),
        [
          [0, 0],
          [0, 0],
        ],
        { losses: [1, 1] },
      ).update,
      [0, 0],
      0,
    );
    expectVector(
      integrateMatrix(
        dbMtl({ beta: 0 }),
        [
          [0, 0],
          [3, 4],
        ],
        { losses: [1, 1] },
      ).update,
      [3, 4],
      1e-6,
    );
    expectVector(
      integrateMatrix(
        dbMtl(),
        [
          [1, 2],
          [-2, -4],
        ],
        { losses: [1, 1] },
      ).update,
      [0, 0],
      1e-14,
    );
    for (const scale of [1e-15, 1e15]) {
      const rows = steep.map((row) => row.map((value) => value * scale));
      const { update } = integrateMatrix(dbMtl(), rows, { losses: [scale, scale] });
      const plain = integrateMatrix(dbMtl(), steep, { losses: [1, 1] }).update;
      if (scale > 1) expectVector(update, [...plain], 1e-6);
      expect(update.every(Number.isFinite)).toBe(true);
    }
  });

  it('refuses losses without a logarithm, and names the objective', () => {
    expect(() =>
      integrateMatrix(dbMtl(), steep, { objectives: ['a', 'b'], losses: [1, 0] }),
    ).toThrow(
      'The loss of objective `b` should be > 0, because `db-mtl` takes its logarithm. Found 0.',
    );
    expect(plugin.create().name).toBe(plugin.name);
  });
});
