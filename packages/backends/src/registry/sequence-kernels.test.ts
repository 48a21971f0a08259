import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { attention, gru, lstm, runKernel } from '@multigrad/core/kernels';
import { expectConstantMemory, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { innerProduct, numericGradient } from '../testing/numeric-gradient.ts';
import { normalDistribution } from '../testing/normal-distribution.ts';
import { normalValues } from '../testing/seeded-tensors.ts';
import { useBackend } from '../use-backend.ts';

/** float32 against float64, relative to the largest number or 1. */
const tolerance = 1e-5;

function expectClose(found: ArrayLike<number>, wanted: readonly number[], what: string): void {
  expect(found.length, what).toBe(wanted.length);
  const magnitude = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(found[i]! - value)), 0);
  expect(worst / magnitude, what).toBeLessThanOrEqual(tolerance);
}

/** Value and gradients of an operation, and of the same in float64 by differences. */
async function expectAgreement(
  operation: (...inputs: tf.Tensor[]) => tf.Tensor,
  reference: (...inputs: ArrayLike<number>[]) => number[],
  inputs: readonly { readonly values: Float32Array; readonly shape: number[] }[],
  seed: number,
): Promise<void> {
  const values = inputs.map((input) => input.values);
  const wanted = reference(...values);
  // Two gradients over outputs, as two objectives have them.
  for (const dy of [
    normalValues(wanted.length, seed + 50),
    normalValues(wanted.length, seed + 51),
  ]) {
    const found = await expectConstantMemory(() =>
      tf.tidy(() => {
        const tensors = inputs.map((input) => tf.tensor(input.values, input.shape));
        const y = operation(...tensors);
        const gradients = tf.grads(operation)(tensors, tf.tensor(dy, y.shape));
        return [y, ...gradients].map((tensor) => tensor.dataSync<'float32'>().slice());
      }),
    );
    expectClose(found[0]!, wanted, 'value');
    inputs.forEach((input, k) => {
      const gradient = numericGradient(
        (x) => innerProduct(reference(...values.map((own, i) => (i === k ? x : own))), dy),
        input.values,
      );
      expectClose(found[k + 1]!, gradient, `gradient of input ${k}`);
    });
  }
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const hardSigmoid = (x: number): number => Math.min(1, Math.max(0, 0.2 * x + 0.5));

interface RecurrentCase {
  readonly count: number;
  readonly steps: number;
  readonly units: number;
  readonly masked: boolean;
  readonly hard: boolean;
  readonly output: 'sequence' | 'last';
}

/** The equations of the LSTM, sample by sample, in float64. */
function lstmReference(
  { count, steps, units, hard, output }: RecurrentCase,
  mask: readonly number[] | null,
  [sums, recurrent, h0, c0]: readonly ArrayLike<number>[],
): number[] {
  const gate = hard ? hardSigmoid : sigmoid;
  const result: number[] = [];
  for (let n = 0; n < count; n += 1) {
    let h = Array.from({ length: units }, (_, u) => h0![n * units + u]!);
    let c = Array.from({ length: units }, (_, u) => c0![n * units + u]!);
    for (let t = 0; t < steps; t += 1) {
      const z = Array.from({ length: 4 * units }, (_, j) =>
        h.reduce(
          (sum, value, d) => sum + value * recurrent![d * 4 * units + j]!,
          sums![(n * steps + t) * 4 * units + j]!,
        ),
      );
      const cell = c.map(
        (old, u) => gate(z[units + u]!) * old + gate(z[u]!) * Math.tanh(z[2 * units + u]!),
      );
      const state = cell.map((value, u) => gate(z[3 * units + u]!) * Math.tanh(value));
      if (mask === null || mask[n * steps + t] === 1) [h, c] = [state, cell];
      if (output === 'sequence') result.push(...h);
    }
    if (output === 'last') result.push(...h, ...c);
  }
  return result;
}

/** The equations of the GRU, sample by sample, in float64. */
function gruReference(
  { count, steps, units, hard, output }: RecurrentCase,
  mask: readonly number[] | null,
  [sums, recurrent, h0]: readonly ArrayLike<number>[],
): number[] {
  const gate = hard ? hardSigmoid : sigmoid;
  const result: number[] = [];
  for (let n = 0; n < count; n += 1) {
    let h = Array.from({ length: units }, (_, u) => h0![n * units + u]!);
    for (let t = 0; t < steps; t += 1) {
      const sum = (state: readonly number[], j: number): number =>
        state.reduce(
          (total, value, d) => total + value * recurrent![d * 3 * units + j]!,
          sums![(n * steps + t) * 3 * units + j]!,
        );
      const before = h;
      const kept = before.map((value, u) => gate(sum(before, units + u)) * value);
      const state = before.map((value, u) => {
        const z = gate(sum(before, u));
        return z * value + (1 - z) * Math.tanh(sum(kept, 2 * units + u));
      });
      if (mask === null || mask[n * steps + t] === 1) h = state;
      if (output === 'sequence') result.push(...h);
    }
    if (output === 'last') result.push(...h);
  }
  return result;
}

/** The recurrent layers: numbers of gates and of states, the operation, and its equations. */
const recurrentLayers = {
  LSTM: {
    gates: 4,
    states: 2,
    run: (inputs: tf.Tensor[], options: Options) => {
      const [sums, recurrent, h, c] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      return lstm({ sums, recurrent, h, c, ...options });
    },
    reference: lstmReference,
  },
  GRU: {
    gates: 3,
    states: 1,
    run: (inputs: tf.Tensor[], options: Options) => {
      const [sums, recurrent, h] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor];
      return gru({ sums, recurrent, h, ...options });
    },
    reference: gruReference,
  },
};

interface Options {
  readonly mask?: tf.Tensor;
  readonly hard: boolean;
  readonly output: 'sequence' | 'last';
}

/** Softmax of the scores times the values, head by head, in float64. */
function attentionReference(
  sizes: {
    readonly count: number;
    readonly queries: number;
    readonly keys: number;
    readonly heads: number;
    readonly width: number;
    readonly scale: number;
  },
  mask: readonly number[] | null,
  [q, k, v]: readonly ArrayLike<number>[],
): number[] {
  const { count, queries, keys, heads, width, scale } = sizes;
  const row = heads * width;
  const y = new Array<number>(count * queries * row).fill(0);
  for (let n = 0; n < count; n += 1) {
    for (let head = 0; head < heads; head += 1) {
      for (let i = 0; i < queries; i += 1) {
        const at = (n * queries + i) * row + head * width;
        const powers = Array.from({ length: keys }, (_, j) => {
          if (mask !== null && mask[n * keys + j] === 0) return 0;
          const key = (n * keys + j) * row + head * width;
          let score = 0;
          for (let d = 0; d < width; d += 1) score += q![at + d]! * k![key + d]!;
          return Math.exp(scale * score);
        });
        const total = powers.reduce((a, b) => a + b);
        powers.forEach((power, j) => {
          const key = (n * keys + j) * row + head * width;
          for (let d = 0; d < width; d += 1) y[at + d]! += (power / total) * v![key + d]!;
        });
      }
    }
  }
  return y;
}

describe.each(testedBackends())('kernels of sequences on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each(['LSTM', 'GRU'] as const)(
    '%s: value and gradients agree with the equations',
    async (name) => {
      const { gates, states, run, reference } = recurrentLayers[name];
      const cases = fc.record({
        count: fc.constantFrom(1, 2, 9, 17),
        steps: fc.integer({ min: 1, max: 4 }),
        units: fc.constantFrom(1, 3, 4, 7),
        masked: fc.boolean(),
        hard: fc.boolean(),
        output: fc.constantFrom<('sequence' | 'last')[]>('sequence', 'last'),
        seed: fc.nat(1000),
      });
      await fc.assert(
        fc.asyncProperty(cases, async ({ seed, ...one }) => {
          const { count, steps, units, masked, hard, output } = one;
          const shapes = [
            [count, steps, gates * units],
            [units, gates * units],
            ...Array.from({ length: states }, () => [count, units]),
          ];
          const inputs = shapes.map((shape, k) => ({
            values: normalValues(tf.util.sizeFromShape(shape), seed + k),
            shape,
          }));
          const marks = Array.from({ length: count * steps }, (_, i) => (i % 3 === 1 ? 0 : 1));
          const operation = (...tensors: tf.Tensor[]): tf.Tensor => {
            const mask = masked ? { mask: tf.tensor2d(marks, [count, steps]) } : {};
            return run(tensors, { ...mask, hard, output })!;
          };
          const equations = (...values: ArrayLike<number>[]): number[] =>
            reference(one, masked ? marks : null, values);
          await expectAgreement(operation, equations, inputs, seed);
        }),
        { numRuns: 6 },
      );
    },
  );

  it('attention: value and gradients agree with the equations', async () => {
    const cases = fc.record({
      count: fc.integer({ min: 1, max: 3 }),
      queries: fc.constantFrom(1, 3, 6),
      keys: fc.constantFrom(1, 5, 9),
      heads: fc.constantFrom(1, 2, 3),
      width: fc.constantFrom(1, 4, 5),
      masked: fc.boolean(),
      seed: fc.nat(1000),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ seed, masked, ...sizes }) => {
        const { count, queries, keys, heads, width } = sizes;
        const scale = 0.7 / Math.sqrt(width);
        const inputs = [queries, keys, keys].map((length, k) => ({
          values: normalValues(count * length * heads * width, seed + k),
          shape: [count, length, heads * width],
        }));
        const marks = Array.from({ length: count * keys }, (_, i) =>
          i % keys > 0 && i % 2 ? 0 : 1,
        );
        const operation = (...tensors: tf.Tensor[]): tf.Tensor => {
          const [q, k, v] = tensors as [tf.Tensor, tf.Tensor, tf.Tensor];
          const mask = masked ? { mask: tf.tensor2d(marks, [count, keys]) } : {};
          return attention({ q, k, v, ...mask, heads, scale })!;
        };
        const reference = (...values: ArrayLike<number>[]): number[] =>
          attentionReference({ ...sizes, scale }, masked ? marks : null, values);
        await expectAgreement(operation, reference, inputs, seed);
      }),
      { numRuns: 6 },
    );
  });

  it('gates far from zero stay finite, and NaN goes on', () => {
    tf.tidy(() => {
      const sums = tf.tensor3d([1e4, -1e4, 1e4, -1e4, NaN, 0, 0, 0], [1, 2, 4]);
      const given = { recurrent: tf.zeros([1, 4]), h: tf.zeros([1, 1]), c: tf.zeros([1, 1]) };
      const states = lstm({ sums, ...given, hard: false, output: 'sequence' })!.dataSync();
      // σ(−10⁴) may be the smallest number that a backend keeps.
      expect(states[0]).toBeCloseTo(0, 30);
      expect(states[1]).toBeNaN();
      const change = tf.tensor3d([-1e4, 1e4, 1e4, NaN, 0, 0], [1, 2, 3]);
      const unit = { recurrent: tf.zeros([1, 3]), h: tf.ones([1, 1]) };
      const moved = gru({ sums: change, ...unit, hard: false, output: 'sequence' })!.dataSync();
      expect(moved[0]).toBeCloseTo(1, 6);
      expect(moved[1]).toBeNaN();
    });
  });

  it('gates, states and GELU are right to a millionth over the whole range', () => {
    const grid = Float32Array.from({ length: 2401 }, (_, i) => (i - 1200) / 13);
    const count = grid.length;
    tf.tidy(() => {
      const shape = {
        count,
        steps: 1,
        units: 1,
        masked: false,
        hard: false,
        output: 'last',
      } as const;
      // Each gate in turn takes the grid, the others 1.
      const sums = [0, 1, 2, 3].map((gate) =>
        Float32Array.from({ length: 4 * count }, (_, i) => (i % 4 === gate ? grid[i >> 2]! : 1)),
      );
      for (const values of sums) {
        const given = {
          recurrent: tf.zeros([1, 4]),
          h: tf.zeros([count, 1]),
          c: tf.ones([count, 1]),
        };
        const all = tf.tensor3d(values, [count, 1, 4]);
        const found = lstm({ sums: all, ...given, hard: false, output: 'last' })!.dataSync();
        const zeros = new Float32Array(count);
        const ones = new Float32Array(count).fill(1);
        const wanted = lstmReference(shape, null, [values, new Float32Array(4), zeros, ones]);
        const worst = wanted.map((value, i) => Math.abs(found[i]! - value));
        expect(Math.max(...worst)).toBeLessThan(1e-6);
      }
      const x = tf.tensor1d(grid);
      const found = runKernel('Gelu', { x }, { approximate: false })[0]!.dataSync();
      const slopes = runKernel('GeluGrad', { dy: tf.onesLike(x), x }, { approximate: false })[0]!;
      const bells = slopes.dataSync();
      grid.forEach((value, i) => {
        const below = normalDistribution(value);
        const density = Math.exp((-value * value) / 2) / Math.sqrt(2 * Math.PI);
        expect(Math.abs(found[i]! - value * below)).toBeLessThan(1e-6 * Math.max(1, value));
        expect(Math.abs(bells[i]! - below - value * density)).toBeLessThan(1e-6);
      });
      const ends = tf.tensor1d([-Infinity, NaN, Infinity, 1e30]);
      const [, nothing, infinite, large] = runKernel(
        'Gelu',
        { x: ends },
        { approximate: false },
      )[0]!.dataSync();
      expect(nothing).toBeNaN();
      expect([infinite, large]).toEqual([Infinity, Math.fround(1e30)]);
    });
  });

  it('masked keys get nothing, and a NaN among scores spoils its own row alone', () => {
    tf.tidy(() => {
      const keys = 7;
      const k = tf.tensor3d(normalValues(keys * 4, 3), [1, keys, 4]);
      const marks = [1, 0, 1, 1, 0, 1, 0];
      const q = tf.tensor3d(
        [...normalValues(4, 1), NaN, 1, 1, 1, ...normalValues(4, 2)],
        [1, 3, 4],
      );
      const mask = tf.tensor2d(marks, [1, keys]);
      const [, p] = runKernel('Attention', { q, k, v: k, mask }, { heads: 1, scale: 0.5 });
      const all = p!.dataSync<'float32'>();
      const rows = Array.from({ length: 3 }, (_, i) => all.slice(i * keys, (i + 1) * keys));
      for (const i of [0, 2]) {
        const row = rows[i]!;
        expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
        marks.forEach((mark, j) => expect(row[j]! > 1e-30).toBe(mark === 1));
      }
      expect([...rows[1]!].every(Number.isNaN)).toBe(true);
    });
  });

  it('name what is wrong with an input, and leave no tensor behind', async () => {
    await expectConstantMemory(() =>
      tf.tidy(() => {
        const given = { recurrent: tf.zeros([2, 8]), h: tf.zeros([3, 2]), c: tf.zeros([3, 2]) };
        expect(() =>
          runKernel('Lstm', { sums: tf.zeros([3, 4, 7]), ...given }, { hard: false }),
        ).toThrow(
          'Kernel Lstm should get sequences of three axes, the last one a multiple of 4. Found [3, 4, 7].',
        );
        const sums = tf.zeros([3, 4, 8]);
        expect(() => runKernel('Lstm', { sums, ...given, h: sums }, { hard: false })).toThrow(
          'Kernel Lstm should get `h` as float32 of shape [3, 2]. Found float32 of shape [3, 4, 8].',
        );
        const unit = { recurrent: tf.zeros([2, 8]), h: tf.zeros([3, 2]) };
        expect(() =>
          runKernel('Gru', { sums: tf.zeros([3, 4, 6]), ...unit }, { hard: false }),
        ).toThrow(
          'Kernel Gru should get `recurrent` as float32 of shape [2, 6]. Found float32 of shape [2, 8].',
        );
        const q = tf.zeros([1, 2, 6]);
        expect(() => runKernel('Attention', { q, k: q, v: q }, { heads: 4, scale: 1 })).toThrow(
          'heads that divide the last axis. Found queries [1, 2, 6], keys [1, 2, 6], 4 heads.',
        );
      }),
    );
  });
});
