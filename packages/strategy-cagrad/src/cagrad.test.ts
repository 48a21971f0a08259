import {
  gramianOf,
  groupGradients,
  integrateMatrix,
  randomState,
  resumeRandom,
} from '@multigrad/core/strategy';
import {
  combineExactly,
  dot,
  dotExactly,
  entangledRows,
  exactGradients,
  exactLength,
  exactVector,
  expectNoConflict,
  expectVector,
  jacobians,
  nearestDouble,
  steep,
  withCrossNoise,
} from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cagrad, plugin } from './index.ts';

const meanOf = (jacobian: readonly number[][]): number[] =>
  jacobian[0]!.map((_, c) => jacobian.reduce((sum, row) => sum + row[c]!, 0) / jacobian.length);

const length = (row: ArrayLike<number>): number => Math.sqrt(dot(row, row));

describe('cagrad', () => {
  it('has the published value', () => {
    const { update } = integrateMatrix(cagrad(), steep);
    expectVector(update, [0.1835034191, 1.2041241452, 1.2041241452]);
  });

  it('stays within c |g_0| of the mean, and no other vector there gains more', () => {
    fc.assert(
      fc.property(jacobians, fc.constantFrom(0.1, 0.5, 0.9, 2), (jacobian, c) => {
        const mean = meanOf(jacobian);
        const radius = c * length(mean);
        const { update, weights, note } = integrateMatrix(cagrad({ c }), jacobian);
        if (note === 'stationary') {
          expect([...weights]).toEqual(jacobian.map(() => 0));
          return;
        }
        const size = Math.max(...jacobian.map(length));
        const moved = mean.map((value, at) => update[at]! - value);
        expect(length(moved)).toBeLessThanOrEqual(radius * (1 + 1e-6) + 1e-9 * size);
        // Weak duality: any w bounds the gain by ⟨g_w, g_0⟩ + radius |g_w|; the own w reaches it.
        const extra = weights.map((weight) => Math.max(0, weight - 1 / jacobian.length));
        const total = extra.reduce((a, b) => a + b, 0);
        const gain = Math.min(...jacobian.map((row) => dot(row, update)));
        if (total === 0) {
          expect(gain).toBeGreaterThanOrEqual(-1e-8 * size * size);
          return;
        }
        const combined = mean.map((_, at) =>
          jacobian.reduce((sum, row, k) => sum + (extra[k]! / total) * row[at]!, 0),
        );
        const bound = dot(combined, mean) + radius * length(combined);
        expect(bound - gain).toBeLessThanOrEqual(1e-6 * size * size * (1 + c));
      }),
    );
  });

  it('conflicts with no gradient from c = 1 on, and may below', () => {
    fc.assert(fc.property(jacobians, (jacobian) => expectNoConflict(cagrad({ c: 1.2 }), jacobian)));
    const lopsided = [
      [1, 0],
      [-10, 1],
    ];
    expect(dot(integrateMatrix(cagrad({ c: 0.1 }), lopsided).update, lopsided[0]!)).toBeLessThan(
      -1,
    );
  });

  describe('on entangled rows', () => {
    const cases = fc.record({
      seed: fc.nat(1e6),
      size: fc.integer({ min: 2, max: 12 }),
      c: fc.oneof(
        fc.constantFrom(0, 1e-300, 1e-6, 1e-3, 0.5, 0.999, 1, 1.0001, 2, 10, 1e6, 1e300),
        fc.double({ min: 0, max: 20, noNaN: true }),
      ),
      // How far rows that cancel out are from doing so.
      apart: fc.constantFrom(0, 1e-13, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-3),
    });
    const rowsOf = ({ seed, size, apart }: { seed: number; size: number; apart: number }) => {
      const random = resumeRandom(randomState(seed, 'apart'));
      return entangledRows(seed, size).map((row) =>
        row.map((value) => value + apart * (2 * random.uniform() - 1)),
      );
    };

    it('answers for every c, and from c = 1 on without conflict', () => {
      fc.assert(
        fc.property(cases, (given) => {
          const rows = rowsOf(given);
          const { size } = given;
          const gramian = gramianOf(rows);
          const objectives = rows.map((_, k) => String(k));
          const seen = groupGradients({ objectives, gramian });
          const { weights, note } = cagrad({ c: given.c }).integrate(seen, null);
          expect(note).not.toBe('unsolved');
          expect(weights.every(Number.isFinite)).toBe(true);
          if (note === 'stationary') {
            expect(weights.every((weight) => weight === 0)).toBe(true);
            return;
          }
          if (given.c < 1) return;
          // Divided, so that nothing of 1e300 overflows.
          const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
          const exact = exactGradients(rows);
          const shortened = exactVector(weights.map((weight) => weight / largest));
          const update = combineExactly(exact, shortened);
          const lengths = exact.rows.map(exactLength);
          const parts = lengths.reduce(
            (sum, own, k) => sum + Math.abs(weights[k]! / largest) * own,
            0,
          );
          const error = gramian.relativeError + size * 2 ** -50;
          exact.rows.forEach((row, k) => {
            const left = 2 * Math.sqrt(error) * exactLength(update) + error * parts;
            expect(nearestDouble(dotExactly(update, row))).toBeGreaterThanOrEqual(
              -left * lengths[k]!,
            );
          });
        }),
        { numRuns: 500 },
      );
    });

    it('answers as well with noise in the Gramian', () => {
      fc.assert(
        fc.property(cases, fc.constantFrom(2 ** -52, 2 ** -23), (given, noise) => {
          const gramian = withCrossNoise(gramianOf(rowsOf(given)), noise, given.seed);
          const { size, values: noisy } = gramian;
          const objectives = Array.from({ length: size }, (_, k) => String(k));
          const seen = groupGradients({ objectives, gramian });
          const { weights } = cagrad({ c: given.c }).integrate(seen, null);
          expect(weights.every(Number.isFinite)).toBe(true);
          if (given.c < 1) return;
          const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 1);
          const shortened = weights.map((weight) => weight / largest);
          const gains = shortened.map((_, i) =>
            shortened.reduce((sum, weight, j) => sum + weight * noisy[i * size + j]!, 0),
          );
          const squared = gains.reduce((sum, gain, k) => sum + gain * shortened[k]!, 0);
          const error = gramian.relativeError + size * 2 ** -50;
          gains.forEach((gain, k) => {
            const own = noisy[k * size + k]!;
            const parts = shortened.reduce(
              (sum, weight, j) => sum + Math.abs(weight) * Math.sqrt(noisy[j * size + j]!),
              0,
            );
            const left = 2 * Math.sqrt(error * Math.max(0, squared)) + size * 2 ** -50 * parts;
            expect(gain).toBeGreaterThanOrEqual(-left * Math.sqrt(own));
          });
        }),
        { numRuns: 500 },
      );
    });

    it('conflicts with neither of two gradients a millionth from opposite', () => {
      const rows = [
        [1, -4],
        [-1.0000008046605586, 3.9999984237644672],
      ];
      for (const c of [1, 1.0001, 1.5, 2, 10, 100]) {
        const { update } = integrateMatrix(cagrad({ c }), rows);
        for (const row of rows) {
          expect(dot(update, row) / length(update) / length(row)).toBeGreaterThan(-1e-8);
        }
      }
    });

    it('stays within the radius below c = 1, with float32 noise near stationary gradients', () => {
      fc.assert(
        fc.property(cases, fc.constantFrom(0.1, 0.5, 0.9), (given, c) => {
          const rows = rowsOf(given);
          const gramian = withCrossNoise(gramianOf(rows), 2 ** -22, given.seed);
          const { size } = gramian;
          const seen = groupGradients({ objectives: rows.map((_, k) => String(k)), gramian });
          const { weights, note } = cagrad({ c }).integrate(seen, null);
          if (note === 'stationary') return;
          const mean = meanOf(rows);
          const moved = mean.map((value, at) =>
            rows.reduce((sum, row, k) => sum + weights[k]! * row[at]!, -value),
          );
          const parts = rows.reduce((sum, row, k) => sum + Math.abs(weights[k]!) * length(row), 0);
          const error = gramian.relativeError + size * 2 ** -50;
          const most = Math.hypot(c * length(mean), 2 * Math.sqrt(error * (1 + c * c)) * parts);
          expect(length(moved)).toBeLessThanOrEqual(most * (1 + 1e-9));
        }),
        { numRuns: 500 },
      );
    });

    it('says that it found nothing of a Gramian that is none', () => {
      // Not positive semi-definite, by far more than its relative error says.
      const entries = [1, -0.6, -0.4, 0.2, -0.6, 1, 1, -0.9, -0.4, 1, 1, -1, 0.2, -0.9, -1, 1];
      const gramian = { size: 4, values: Float64Array.from(entries), relativeError: 0 };
      const seen = groupGradients({ objectives: ['a', 'b', 'c', 'd'], gramian });
      const { weights, note } = cagrad({ c: 2 }).integrate(seen, null);
      expect(note === 'unsolved' || note === 'stationary').toBe(true);
      expect(weights.every(Number.isFinite)).toBe(true);
    });
  });

  it('is the mean with c = 0, and 1 + c gradients of one objective', () => {
    expectVector(integrateMatrix(cagrad({ c: 0 }), steep).update, [1, 1, 1], 1e-14);
    expectVector(integrateMatrix(cagrad(), [[3, -1]]).update, [4.5, -1.5], 1e-12);
  });

  it('divides at the end as told', () => {
    const plain = integrateMatrix(cagrad(), steep).weights;
    const square = integrateMatrix(cagrad({ rescale: 'square' }), steep).weights;
    const linear = integrateMatrix(cagrad({ rescale: 'linear' }), steep).weights;
    expectVector(square, [plain[0]! / 1.25, plain[1]! / 1.25], 1e-15);
    expectVector(linear, [plain[0]! / 1.5, plain[1]! / 1.5], 1e-15);
  });

  it('stands still at stationary gradients from c = 1 on, and where the mean is zero', () => {
    for (const rows of [
      [
        [1, 2],
        [-2, -4],
      ],
      [
        [0, 0],
        [1, 1],
      ],
      [
        [1, 0],
        [-1, 1],
        [-1, -1],
      ],
    ]) {
      expect(integrateMatrix(cagrad({ c: 1 }), rows).note).toBe('stationary');
      expect(integrateMatrix(cagrad(), rows).note).toBeUndefined();
    }
    expect(
      integrateMatrix(cagrad(), [
        [1, 2],
        [-1, -2],
      ]).note,
    ).toBe('stationary');
  });

  it('describes itself', () => {
    expect(plugin.create().name).toBe(plugin.name);
    expect(() => cagrad({ c: -1 })).toThrow('Option `c` of `cagrad` should be');
  });
});
