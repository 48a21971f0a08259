import {
  type GradientStrategy,
  type IntegratedMatrix,
  integrateMatrix,
  type Json,
  MultigradError,
} from '@multigrad/core/strategy';
import { dwa, famo, uncertaintyWeighting } from '@multigrad/scalarization';
import { graddrop } from '@multigrad/strategy-graddrop';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { moco } from '@multigrad/strategy-moco';
import { modo } from '@multigrad/strategy-modo';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import { expectVector, jacobians } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  normalizedGradients,
  onlyObjectives,
  perGroup,
  refreshedEvery,
  weightMomentum,
} from './index.ts';

const length = (row: readonly number[]): number => Math.hypot(...row);
const runs = fc.array(jacobians, { minLength: 1, maxLength: 6 });

/** Weights of each step of a run over matrices with names, state through JSON. */
function weightsOver(
  strategy: GradientStrategy,
  steps: readonly (readonly number[][])[],
  names?: readonly (readonly string[])[],
): number[][] {
  const objectives = [...new Set(names?.flat() ?? steps[0]!.map((_, k) => String(k)))];
  let state: Json = strategy.init({ key: 'group', objectives, tensors: ['t'] });
  return steps.map((rows, step) => {
    const result = integrateMatrix(strategy, rows, {
      state: JSON.parse(JSON.stringify(state)) as Json,
      step,
      key: 'group',
      ...(names === undefined ? {} : { objectives: names[step]! }),
    });
    state = result.state;
    return [...result.weights];
  });
}

describe('normalizedGradients', () => {
  it('is the strategy on unit gradients', () => {
    fc.assert(
      fc.property(jacobians, (rows) => {
        fc.pre(rows.every((row) => length(row) > 1e-3));
        const units = rows.map((row) => row.map((value) => value / length(row)));
        const found = integrateMatrix(normalizedGradients(mgda()), rows).update;
        expectVector(found, [...integrateMatrix(mgda(), units).update], 1e-7);
      }),
    );
  });

  it('serves loss-only strategies, leaves zero gradients, knows no scale', () => {
    const strategy = normalizedGradients(sum());
    expectVector(
      integrateMatrix(strategy, [
        [3, 4],
        [0, 0],
        [0, 1e-9],
      ]).update,
      [0.6, 1.8],
    );
    for (const scale of [1e-150, 1e-15, 1e15, 1e150]) {
      expectVector(integrateMatrix(strategy, [[3 * scale, 4 * scale]]).update, [0.6, 0.8]);
    }
    expect(
      integrateMatrix(normalizedGradients(uncertaintyWeighting()), [[5]], { losses: [1] })
        .weights[0],
    ).toBeCloseTo(Math.exp(0.5) / 10, 12);
  });

  it('divides the weights of tensors too', () => {
    const rows = [
      [1, 0, 10, 0],
      [-1, 1, 0, 10],
    ];
    const tensors = [
      { name: 'a', size: 2 },
      { name: 'b', size: 2 },
    ];
    const byTensor = mmpareto({ rescale: 'tensor' });
    const units = rows.map((row) => row.map((value) => value / length(row)));
    expectVector(
      integrateMatrix(normalizedGradients(byTensor), rows, { tensors }).update,
      [...integrateMatrix(byTensor, units, { tensors }).update],
      1e-12,
    );
  });
});

describe('weightMomentum', () => {
  it('averages the weights with those before', () => {
    fc.assert(
      fc.property(runs, fc.constantFrom(0, 0.5, 0.9, 1), (matrices, alpha) => {
        const size = Math.min(...matrices.map((rows) => rows.length));
        const steps = matrices.map((rows) => rows.slice(0, size));
        let last: number[] | undefined;
        weightsOver(weightMomentum(mgda(), { alpha }), steps).forEach((found, step) => {
          const plain = [...integrateMatrix(mgda(), steps[step]!).weights];
          last = plain.map((weight, k) =>
            last === undefined ? weight : alpha * last[k]! + (1 - alpha) * weight,
          );
          expectVector(found, last, 1e-12);
        });
      }),
    );
  });

  it('keeps the weight of an absent objective, whatever its name', () => {
    const names = [['a', '__proto__'], ['a'], ['__proto__', 'a']];
    const steps = [
      [
        [1, 0],
        [0, 2],
      ],
      [[1, 0]],
      [
        [0, 1],
        [1, 0],
      ],
    ];
    const found = weightsOver(weightMomentum(mgda(), { alpha: 0.5 }), steps, names);
    expectVector(found[0]!, [0.8, 0.2], 1e-12);
    expectVector(found[1]!, [0.9], 1e-12);
    expectVector(found[2]!, [0.35, 0.7], 1e-12);
  });

  it('averages weights of tensors, and those that differ no more', () => {
    const tensors = [
      { name: 'a', size: 2 },
      { name: 'b', size: 2 },
    ];
    const strategy = weightMomentum(mmpareto({ rescale: 'tensor' }), { alpha: 0.5 });
    const conflict = [
      [1, 0, 10, 0],
      [-1, 1, -1, 10],
    ];
    const agreement = [
      [1, 0, 1, 0],
      [0, 1, 0, 1],
    ];
    const plain = mmpareto({ rescale: 'tensor' });
    const [first, second] = [conflict, agreement].map((rows) =>
      integrateMatrix(plain, rows, { tensors }),
    );
    const weightsOf = (
      result: Pick<IntegratedMatrix, 'weights' | 'tensorWeights'> | undefined,
      tensor: string,
    ): Float64Array => result!.tensorWeights?.get(tensor) ?? result!.weights;
    const { state } = integrateMatrix(strategy, conflict, { tensors });
    const found: Pick<IntegratedMatrix, 'weights' | 'tensorWeights'> = integrateMatrix(
      strategy,
      agreement,
      { tensors, state },
    );
    for (const tensor of ['a', 'b']) {
      const [before, now] = [weightsOf(first, tensor), weightsOf(second, tensor)];
      expectVector(
        weightsOf(found, tensor),
        Array.from(before, (weight, k) => (weight + now[k]!) / 2),
        1e-12,
      );
    }
  });
});

describe('refreshedEvery', () => {
  it('finds weights once in so many steps', () => {
    fc.assert(
      fc.property(runs, fc.integer({ min: 1, max: 4 }), (matrices, steps) => {
        const size = Math.min(...matrices.map((rows) => rows.length));
        const rows = matrices.map((matrix) => matrix.slice(0, size));
        const found = weightsOver(refreshedEvery(pcgrad({ seed: 3 }), { steps }), rows);
        const refreshes = rows.filter((_, step) => step % steps === 0);
        const expected = weightsOver(pcgrad({ seed: 3 }), refreshes);
        found.forEach((weights, step) => {
          expect(weights).toEqual(expected[Math.floor(step / steps)]);
        });
      }),
    );
  });

  it('refreshes until every objective was seen', () => {
    const strategy = refreshedEvery(mgda(), { steps: 10 });
    const rows = (...sizes: number[]): number[][] =>
      sizes.map((size, k) => sizes.map((_, c) => (c === k ? size : 0)));
    const names = [['a'], ['a'], ['a', 'b'], ['b', 'a'], ['b']];
    const found = weightsOver(strategy, [rows(2), rows(2), rows(1, 2), rows(5, 1), rows(9)], names);
    found.forEach((weights, step) => {
      expectVector(weights, [[1], [1], [0.8, 0.2], [0.2, 0.8], [0.2]][step]!, 1e-12);
    });
    const state = strategy.init({ key: 'k', objectives: ['a'], tensors: [] });
    const next = integrateMatrix(strategy, [[1]], { objectives: ['a'], state });
    expect(() =>
      integrateMatrix(strategy, [[1]], { objectives: ['z'], state: next.state }),
    ).toThrow('Found `z`, which the group did not name');
  });

  it('reuses weights of tensors', () => {
    const tensors = [
      { name: 'a', size: 2 },
      { name: 'b', size: 2 },
    ];
    const rows = [
      [1, 0, 10, 0],
      [-1, 1, -1, 10],
    ];
    const strategy = refreshedEvery(mmpareto({ rescale: 'tensor' }), { steps: 2 });
    const first = integrateMatrix(strategy, rows, { tensors });
    const second = integrateMatrix(strategy, rows, { tensors, state: first.state });
    expect(second.note).toBe('reused');
    expect(first.tensorWeights?.size).toBeGreaterThan(0);
    expectVector(second.update, [...first.update], 0);
  });
});

describe('onlyObjectives', () => {
  it('weighs some and adds the others', () => {
    const names = ['depth', 'smoothness', 'normals'];
    const rows = [
      [1, 0],
      [5, 5],
      [0, 2],
    ];
    const weights = (others?: number): number[] => [
      ...integrateMatrix(
        onlyObjectives(
          mgda(),
          ['depth', 'normals', 'absent'],
          others === undefined ? {} : { others },
        ),
        rows,
        { objectives: names },
      ).weights,
    ];
    expectVector(weights(), [0.8, 1, 0.2], 1e-12);
    expectVector(weights(0), [0.8, 0, 0.2], 1e-12);
  });

  it('asks the strategy nothing where its objectives are absent, and hands on their losses alone', () => {
    const strategy = onlyObjectives(famo(), ['a', 'b']);
    const group = { key: 'run', objectives: ['a', 'b', 'c'], tensors: [] };
    const state = strategy.init(group);
    const absent = integrateMatrix(strategy, [[1]], { objectives: ['c'], losses: [2], state });
    expect([...absent.weights]).toEqual([1]);
    expect(absent.state).toEqual(state);
    const objectives = ['c', 'b', 'a'];
    const now = integrateMatrix(strategy, [[1], [1], [1]], {
      objectives,
      losses: [9, 1, 3],
      state,
    });
    expectVector(now.weights, [1, 0.75, 0.25], 1e-7);
    const after = strategy.onStepEnd!(Float64Array.of(1, 1, 2), objectives, now.state);
    const plain = famo();
    const alone = integrateMatrix(plain, [[1], [1]], {
      objectives: ['b', 'a'],
      losses: [1, 3],
      state: plain.init(group),
    });
    expect(after.inner).toEqual(plain.onStepEnd!(Float64Array.of(1, 2), ['b', 'a'], alone.state));
    expect(strategy.onStepEnd!(Float64Array.of(1), ['c'], after)).toEqual(after);
  });

  it('refuses no names, and names given twice', () => {
    expect(() => onlyObjectives(mgda(), [])).toThrow('at least one name');
    expect(() => onlyObjectives(mgda(), ['a', 'a'])).toThrow('each once');
  });
});

describe('perGroup', () => {
  const rows = [
    [1, 0],
    [0, 2],
  ];

  it('takes the first pattern that fits', () => {
    const strategy = perGroup({
      'image/*': mgda(),
      '*/joint': pcgrad(),
      default: sum(),
    });
    const at = (key: string): ReturnType<typeof integrateMatrix> =>
      integrateMatrix(strategy, rows, { key });
    expectVector(at('image/joint').weights, [0.8, 0.2], 1e-12);
    expect(at('image/joint').note).toBe('mgda');
    expect(at('audio/joint').note).toBe('pcgrad');
    expect(at('an image/x').note).toBe('sum');
    expect(at('images').note).toBe('sum');
    expect(strategy.needsNow!(strategy.init({ key: 'x', objectives: [], tensors: [] }))).toEqual({
      gradients: 'none',
    });
  });

  it('serves strategies that read single coordinates, and hooks of those that have them', () => {
    const strategy = perGroup({ neck: graddrop(), 'trunk*': famo(), default: mgda() });
    expect(strategy.needs).toEqual({ gradients: 'rows', losses: 'now-and-after-step' });
    const plain = integrateMatrix(graddrop(), rows, { key: 'neck' });
    const found = integrateMatrix(strategy, rows, { key: 'neck' });
    expectVector(found.update, [...plain.update], 0);
    const trunk = integrateMatrix(strategy, rows, { key: 'trunk', losses: [1, 1] });
    const names = ['0', '1'];
    expect(strategy.onStepEnd!(Float64Array.of(0.5, 1), names, trunk.state)).not.toEqual(
      trunk.state,
    );
    expect(strategy.onStepEnd!(Float64Array.of(0.5, 1), names, found.state)).toEqual(found.state);
    const epochs = perGroup({ a: dwa(), default: mgda() });
    const state = epochs.init({ key: 'a', objectives: names, tensors: [] });
    expect(epochs.onEpochEnd!(Float64Array.of(1, 2), names, state).inner).toEqual({
      '0': [1],
      '1': [2],
    });
  });

  it('says what is wrong', () => {
    expect(() => perGroup({ '*': mgda() } as never)).toThrow('should have `default`');
    expect(() => perGroup({ default: mgda as never })).toThrow('mmpareto(), not mmpareto');
    expect(() => perGroup({ default: moco() })).toThrow('Found `moco`');
    expect(() => perGroup({ a: dwa(), default: famo() })).toThrow('`dwa`: epoch-means');
    const resumed = { pattern: 'trunk/*', inner: null };
    expect(() => integrateMatrix(perGroup({ default: sum() }), rows, { state: resumed })).toThrow(
      'its pattern is `trunk/*`',
    );
  });
});

it('refuses to wrap what is no weighted sum of the gradients', () => {
  const wrappers = [
    normalizedGradients,
    weightMomentum,
    (strategy: GradientStrategy) => refreshedEvery(strategy, { steps: 2 }),
    (strategy: GradientStrategy) => onlyObjectives(strategy, ['a']),
  ];
  for (const wrap of wrappers) {
    for (const [strategy, reason] of [
      [graddrop(), 'reads single coordinates'],
      [moco(), 'keeps a memory'],
      [modo(), 'looks at 3 batches'],
    ] as const) {
      expect(() => wrap(strategy)).toThrow(reason);
      try {
        wrap(strategy);
      } catch (error) {
        expect(MultigradError.isInstance(error) && error.code).toBe('unsupported');
      }
    }
    expect(() => wrap(sum as never)).toThrow('mmpareto(), not mmpareto');
  }
});

it('stacks as doing it by hand: refreshed every 2 steps, momentum, unit gradients, some objectives', () => {
  fc.assert(
    fc.property(runs, (matrices) => {
      const size = Math.min(...matrices.map((rows) => rows.length));
      fc.pre(size > 1);
      const steps = matrices
        .map((rows) => rows.slice(0, size))
        .filter((rows) => rows.every((row) => length(row) > 1e-3));
      fc.pre(steps.length > 0);
      const strategy = refreshedEvery(
        weightMomentum(normalizedGradients(onlyObjectives(mgda(), ['0', '1'], { others: 0.25 })), {
          alpha: 0.8,
        }),
        { steps: 2 },
      );
      let weights: number[] | undefined;
      weightsOver(strategy, steps).forEach((found, step) => {
        if (step % 2 === 0) {
          const rows = steps[step]!;
          const units = rows.map((row) => row.map((value) => value / length(row)));
          const two = integrateMatrix(mgda(), units.slice(0, 2)).weights;
          const all = rows.map((row, k) => (two[k] ?? 0.25) / length(row));
          const before = weights;
          weights = all.map((weight, k) =>
            before === undefined ? weight : 0.8 * before[k]! + 0.2 * weight,
          );
        }
        expectVector(found, weights!, 1e-6);
      });
    }),
  );
});
