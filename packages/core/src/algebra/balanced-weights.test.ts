import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { balancedWeights } from './balanced-weights.ts';
import { gramianOf, norms } from './gramian-of.ts';

/** The largest `|a_k^(1/α) (G a)_k − 1|`. */
function residual(jacobian: readonly number[][], alpha = 1): number {
  const { size, values } = gramianOf(jacobian);
  const a = balancedWeights({ size, values, relativeError: 1e-15 }, alpha);
  if (a === null) return Infinity;
  return Math.max(
    ...Array.from(a, (weight, i) => {
      const product = a.reduce((sum, value, j) => sum + values[i * size + j]! * value, 0);
      return Math.abs(product * weight ** (1 / alpha) - 1);
    }),
  );
}

/** K gradients whose cosines are near a number, along K + 1 axes. */
function rowsOf(size: number, shared: number, lengths: readonly number[]): number[][] {
  return Array.from({ length: size }, (_, k) =>
    Array.from({ length: size + 1 }, (__, c) =>
      c === size ? shared * lengths[k]! : c === k ? lengths[k]! : 0,
    ),
  );
}

describe('balancedWeights', () => {
  it('has closed forms: one gradient, orthogonal ones', () => {
    expect([...balancedWeights(gramianOf([[3, 4]]))!][0]).toBeCloseTo(0.2, 14);
    // G a = a^(−1/α): a = G^(−α/(1+α)).
    expect([...balancedWeights(gramianOf([[4]]), 3)!][0]).toBeCloseTo(16 ** -0.75, 14);
  });

  it('balances two gradients of any angle', () => {
    for (const angle of [0, 0.1, 1.5, 2, 3, 3.1, 3.13]) {
      for (const ratio of [1e-3, 1, 1e3]) {
        const rows = [
          [ratio, 0],
          [Math.cos(angle), Math.sin(angle)],
        ];
        expect(residual(rows), `${angle} ${ratio}`).toBeLessThan(1e-10);
      }
    }
  });

  it('balances conflicting, aligned and badly scaled gradients, K = 2 … 8', () => {
    for (let size = 2; size <= 8; size += 1) {
      const lengths = Array.from({ length: size }, (_, k) => 10 ** (-3 + (6 * k) / (size - 1)));
      for (const shared of [0, 0.01, 1, 30]) {
        const rows = rowsOf(size, shared, lengths);
        expect(residual(rows)).toBeLessThan(1e-10);
        expect(residual([...rows, rows[0]!])).toBeLessThan(1e-10);
        for (const alpha of [0.5, 2]) expect(residual(rows, alpha)).toBeLessThan(1e-9);
      }
    }
  });

  it('balances whatever has no vanishing combination', () => {
    const entry = fc.integer({ min: -100, max: 100 }).map((value) => value / 10);
    const rows = fc.integer({ min: 1, max: 8 }).chain((size) =>
      fc.array(fc.array(entry, { minLength: 10, maxLength: 10 }), {
        minLength: size,
        maxLength: size,
      }),
    );
    fc.assert(
      fc.property(rows, (jacobian) => {
        // All in one half-space: no combination vanishes.
        const tilted = jacobian.map((row) => [Math.abs(row[0]!) + 1, ...row.slice(1)]);
        expect(residual(tilted)).toBeLessThan(1e-10);
      }),
    );
  });

  it('has the homogeneity −2α/(1+α), from 1e-150 to 1e150', () => {
    const rows = [
      [-4, 1, 1],
      [6, 1, 1],
    ];
    for (const alpha of [0.5, 1, 2]) {
      const plain = balancedWeights(gramianOf(rows), alpha)!;
      for (const scale of [1e-150, 1e-15, 1e15, 1e150]) {
        const scaled = balancedWeights(
          gramianOf(rows.map((row) => row.map((x) => x * scale))),
          alpha,
        )!;
        const factor = scale ** ((-2 * alpha) / (1 + alpha));
        scaled.forEach((weight, k) => expect(weight / factor / plain[k]!).toBeCloseTo(1, 9));
      }
    }
  });

  it('knows where there is no solution', () => {
    for (const rows of [
      [
        [1, 2],
        [-1, -2],
      ],
      [
        [0, 0],
        [1, 0],
      ],
      [
        [1, 0],
        [-1, 1],
        [-1, -1],
      ],
    ]) {
      expect(balancedWeights(gramianOf(rows))).toBeNull();
    }
  });

  it('works for 200 gradients', () => {
    const rows = rowsOf(
      200,
      0.3,
      Array.from({ length: 200 }, (_, k) => 1 + (k % 7)),
    );
    expect(norms(gramianOf(rows)).length).toBe(200);
    expect(residual(rows)).toBeLessThan(1e-10);
  });

  it('refuses another alpha', () => {
    expect(() => balancedWeights(gramianOf([[1]]), 0)).toThrow(
      'Argument `alpha` should be a finite number > 0. Found 0.',
    );
  });
});
