import {
  createStrategy,
  gramianOf,
  groupGradients,
  integrateMatrix,
  resumeRandom,
} from '@multigrad/core/strategy';
import { bent, dot, norm, steep } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gradvac, type GradvacOptions, type GradvacState, plugin } from './index.ts';

const objectives = ['a', 'b', 'c', 'd', 'e'];

function integrate(
  jacobian: readonly (readonly number[])[],
  options?: GradvacOptions,
  state?: GradvacState,
) {
  return integrateMatrix(gradvac(options), jacobian, {
    objectives: objectives.slice(0, jacobian.length),
    ...(state === undefined ? {} : { state }),
  });
}

/** The paper's Algorithm 1 on the vectors themselves, in the order that `state` draws; `targets` goes on. */
function turnVectors(
  jacobian: readonly (readonly number[])[],
  state: GradvacState,
  beta: number,
  targets: Map<string, number>,
): number[] {
  const random = resumeRandom(state.random);
  const rows = jacobian.length;
  const error = (jacobian[0]!.length + 4) * 2 ** -53 + rows * 2 ** -50;
  const total = jacobian[0]!.map(() => 0);
  jacobian.forEach((row, i) => {
    let turned = [...row];
    let size = norm(row);
    for (const j of rows > 2 ? random.permutation(rows) : [0, 1].slice(0, rows)) {
      const other = jacobian[j]!;
      if (i === j || norm(other) === 0 || norm(row) === 0) continue;
      if (norm(turned) <= Math.sqrt(error) * size) break;
      const found = Math.max(-1, Math.min(1, dot(turned, other) / norm(turned) / norm(other)));
      const pair = `${i},${j}`;
      const target = Math.min(1 - 1e-6, targets.get(pair) ?? 0);
      if (found < target) {
        const root = Math.sqrt(1 - target ** 2);
        const factor =
          (norm(turned) * (target * Math.sqrt(1 - found ** 2) - found * root)) /
          (norm(other) * root);
        turned = turned.map((value, at) => value + factor * other[at]!);
        size += factor * norm(other);
      }
      targets.set(pair, (1 - beta) * (targets.get(pair) ?? 0) + beta * found);
    }
    turned.forEach((value, at) => (total[at]! += value));
  });
  return total;
}

const entry = fc.integer({ min: -1000, max: 1000 }).map((value) => value / 100);
const sizes = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 2, max: 8 }));
const jacobianOf = (rows: number, columns: number) =>
  fc.array(fc.array(entry, { minLength: columns, maxLength: columns }), {
    minLength: rows,
    maxLength: rows,
  });
const runs = sizes.chain(([rows, columns]) =>
  fc.array(jacobianOf(rows, columns), { minLength: 1, maxLength: 4 }),
);
const betas = fc.constantFrom(0, 0.01, 0.5, 1);

describe('gradvac', () => {
  it('has the published values of PCGrad at the first step, for every seed', () => {
    for (let seed = 0; seed < 10; seed++) {
      const first = integrate(steep, { seed });
      [0.5847953216, 3.8011695906, 3.8011695906].forEach((value, at) => {
        expect(Math.abs(first.update[at]! - value)).toBeLessThan(1e-9);
      });
      [1 + 22 / 18, 1 + 22 / 38].forEach((weight, k) =>
        expect(first.weights[k]).toBeCloseTo(weight, 12),
      );
      const second = integrate(bent, { seed });
      [2, 1.5, 1].forEach((weight, k) => expect(second.weights[k]).toBeCloseTo(weight, 12));
    }
  });

  it('has the values of the second step by hand', () => {
    const rows = [
      [1, 0],
      [0, 2],
    ];
    // The cosine was 1 (the first step's rows agree), so with β = ½ the target is ½ now, and the cosine is 0.
    const { state } = integrate([
      [1, 0],
      [1, 0],
    ]);
    const { weights, state: next } = integrate(rows, {}, state);
    // v_1 = g_1 + g_2 |g_1| / |g_2| · ½ / √¾, and likewise v_2.
    const tangent = 1 / Math.sqrt(3);
    expect(weights[0]).toBeCloseTo(1 + 2 * tangent, 12);
    expect(weights[1]).toBeCloseTo(1 + tangent / 2, 12);
    expect(next.targets).toEqual([
      ['a', 'b', 0.25],
      ['b', 'a', 0.25],
    ]);
  });

  it('turns as the vectors themselves would be turned, step after step', () => {
    fc.assert(
      fc.property(runs, betas, fc.nat({ max: 1000 }), (jacobians, beta, seed) => {
        const strategy = gradvac({ beta, seed });
        const rows = jacobians[0]!.length;
        let state = strategy.init({
          key: 'trunk',
          objectives: objectives.slice(0, rows),
          tensors: [],
        });
        const targets = new Map<string, number>();
        for (const jacobian of jacobians) {
          const before = structuredClone([jacobian, state]);
          const result = integrate(jacobian, { beta, seed }, state);
          expect([jacobian, state]).toEqual(before);
          const expected = turnVectors(jacobian, state, beta, targets);
          const size = jacobian.reduce(
            (total, row, k) => total + Math.abs(result.weights[k]!) * norm(row),
            0,
          );
          expected.forEach((value, at) => {
            expect(Math.abs(result.update[at]! - value)).toBeLessThanOrEqual(1e-6 * size);
          });
          state = result.state;
        }
      }),
    );
  });

  it('reaches the target with two objectives', () => {
    const cosine = fc.integer({ min: -99, max: 99 }).map((value) => value / 100);
    fc.assert(
      fc.property(cosine, cosine, fc.integer({ min: -3, max: 3 }), (target, found, power) => {
        const length = 10 ** power;
        const rows = [
          [1, 0],
          [length * found, length * Math.sqrt(1 - found ** 2)],
        ];
        const strategy = gradvac({ beta: 0 });
        const { random } = strategy.init({ key: 'k', objectives: ['a', 'b'], tensors: [] });
        // A target that no other gradient of the pair asks for: the second keeps itself.
        const state: GradvacState = {
          random,
          targets: [
            ['a', 'b', target],
            ['b', 'a', -1],
          ],
        };
        const { weights } = integrate(rows, { beta: 0 }, state);
        const multiple = weights[1]! - 1;
        expect(weights[0]).toBe(1);
        const turned = [1 + multiple * rows[1]![0]!, multiple * rows[1]![1]!];
        const reached = dot(turned, rows[1]!) / norm(turned) / length;
        expect(reached).toBeCloseTo(Math.max(target, found), 9);
      }),
    );
  });

  it('keeps one objective plain and leaves agreeing gradients alone', () => {
    expect([...integrate([[3, -1]]).weights]).toEqual([1]);
    const agreeing = [
      [1, 0, 1],
      [0, 2, 1],
      [3, 1, 0],
    ];
    expect([...integrate(agreeing).weights]).toEqual([1, 1, 1]);
  });

  it('has the same weights and targets at every scale, and targets whatever the lengths', () => {
    const run = (scales: readonly number[]) => {
      let state: GradvacState | undefined;
      const weights: number[][] = [];
      for (const jacobian of [bent, bent.map((row) => [row[1]!, row[0]! - 1]), bent]) {
        const scaled = jacobian.map((row, k) => row.map((value) => value * scales[k]!));
        const result = integrate(scaled, { seed: 5 }, state);
        weights.push(Array.from(result.weights, (weight, k) => weight * scales[k]!));
        state = result.state;
      }
      return { weights, state };
    };
    const plain = run([1, 1, 1]);
    for (const scale of [1e-150, 1e-15, 1e15, 1e150]) {
      const scaled = run([scale, scale, scale]);
      scaled.weights.flat().forEach((weight, at) => {
        expect(weight / scale / plain.weights.flat()[at]!).toBeCloseTo(1, 9);
      });
    }
    const uneven = run([1e-3, 1, 1e3]).state!.targets;
    uneven.forEach(([a, b, target], at) => {
      const [x, y, expected] = plain.state!.targets[at]!;
      expect([a, b]).toEqual([x, y]);
      expect(target).toBeCloseTo(expected, 9);
    });
  });

  it('is finite for whatever rows, with targets of 1 and −1', () => {
    const value = fc.constantFrom(0, 0, 1, -1, 2, 1e-3, -1e-3, 1e3, -1e3);
    const rows = fc.array(fc.tuple(value, value), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(rows, { minLength: 1, maxLength: 4 }), betas, (jacobians, beta) => {
        let state: GradvacState | undefined;
        for (const jacobian of jacobians) {
          const result = integrate(jacobian, { beta }, state);
          for (const weight of result.weights) expect(weight).toSatisfy(Number.isFinite);
          for (const [, , target] of result.state.targets) {
            expect(Math.abs(target)).toBeLessThanOrEqual(1);
          }
          state = result.state;
        }
      }),
    );
    const { state } = integrate(
      [
        [1, 0],
        [1, 0],
      ],
      { beta: 1 },
    );
    const { weights } = integrate(
      [
        [1, 0],
        [0, 1],
      ],
      { beta: 1 },
      state,
    );
    // (1, m) has the cosine m / √(1 + m²) with the other, here 1 − 10⁻⁶.
    const multiple = (1 - 1e-6) / Math.sqrt(1 - (1 - 1e-6) ** 2);
    weights.forEach((weight) => expect(weight / (1 + multiple)).toBeCloseTo(1, 9));
  });

  it('lets zero gradients take no part, and forgets no target meanwhile', () => {
    const { state } = integrate(steep);
    const zero = integrate([[0, 0, 0], steep[1]!], {}, state);
    expect([...zero.weights]).toEqual([1, 1]);
    expect(zero.state).toEqual(state);
  });

  it('cancels opposite gradients', () => {
    const { update } = integrate([
      [3, 1],
      [-3, -1],
    ]);
    expect(norm(update)).toBeLessThanOrEqual(1e-15);
    // In float32's error: what remains of a gradient is none, and is not turned to the third.
    const values = Float64Array.of(1, -1 + 1e-7, 0.1, -1 + 1e-7, 1, 0.1, 0.1, 0.1, 1);
    const seen = groupGradients({
      objectives: ['a', 'b', 'c'],
      gramian: { size: 3, values, relativeError: 2 ** -22 },
    });
    for (let seed = 0; seed < 5; seed++) {
      const strategy = gradvac({ seed });
      const state = strategy.init({ key: 'k', objectives: ['a', 'b', 'c'], tensors: [] });
      const { weights } = strategy.integrate(seen, state);
      weights.forEach((weight, k) => expect(weight).toBeCloseTo([2, 2, 1][k]!, 5));
    }
  });

  it('keeps its targets by name: order and absence do not matter', () => {
    const first = integrate(steep, { beta: 0.3 });
    const strategy = gradvac({ beta: 0.3 });
    const turned = integrateMatrix(strategy, [steep[1]!, steep[0]!], {
      objectives: ['b', 'a'],
      state: first.state,
    });
    const straight = integrate(steep, { beta: 0.3 }, first.state);
    expect([...turned.weights].reverse()).toEqual([...straight.weights]);
    const alone = integrateMatrix(strategy, [[1, 2, 3]], {
      objectives: ['b'],
      state: first.state,
    });
    expect(alone.state).toEqual(first.state);
    const odd = integrateMatrix(strategy, steep, { objectives: ['__proto__', 'constructor'] });
    expect(odd.state.targets.map(([a, b]) => [a, b])).toEqual([
      ['__proto__', 'constructor'],
      ['constructor', '__proto__'],
    ]);
  });

  it('is determined by the seed and the group', () => {
    const init = (seed: number, key: string) =>
      JSON.stringify(gradvac({ seed }).init({ key, objectives: ['a'], tensors: [] }));
    expect(init(3, 'trunk')).toBe(init(3, 'trunk'));
    expect(init(3, 'trunk')).not.toBe(init(4, 'trunk'));
    expect(init(3, 'trunk')).not.toBe(init(3, 'head'));
    // Two objectives have one order: nothing is drawn.
    const strategy = gradvac();
    const state = strategy.init({ key: 'k', objectives: ['a', 'b'], tensors: [] });
    const seen = groupGradients({ objectives: ['a', 'b'], gramian: gramianOf(steep) });
    expect(strategy.integrate(seen, state).state.random).toEqual(state.random);
  });

  it('refuses options out of range', () => {
    expect(() => gradvac({ beta: 1.5 })).toThrow(
      'Option `beta` of `gradvac` should be a number from 0 to 1. Found 1.5.',
    );
    expect(() => gradvac({ seed: 0.5 })).toThrow(
      'Option `seed` of `gradvac` should be an integer. Found 0.5.',
    );
  });
});

describe('plugin', () => {
  it('describes the factory', () => {
    expect(plugin.name).toBe(gradvac().name);
    const made = createStrategy(plugin, { seed: '9', beta: '0.1' });
    const group = { key: 'k', objectives: ['a', 'b', 'c'], tensors: [] };
    expect(made.init(group)).toEqual(gradvac({ seed: 9 }).init(group));
  });
});
