import {
  createStrategy,
  gramianOf,
  groupGradients,
  integrateMatrix,
  MultigradError,
} from '@multigrad/core/strategy';
import { bent, dot, expectVector, norm, steep } from '@multigrad/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mgda, type MgdaOptions, plugin } from './index.ts';

function weightsOf(jacobian: readonly number[][], options?: MgdaOptions, losses?: number[]) {
  return integrateMatrix(mgda(options), jacobian, losses === undefined ? {} : { losses });
}

const entry = fc.integer({ min: -1000, max: 1000 }).map((value) => value / 100);
const jacobians = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 8 }))
  .chain(([rows, columns]) =>
    fc.array(fc.array(entry, { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    }),
  );

describe('mgda', () => {
  it('has the published values', () => {
    const first = weightsOf(steep);
    expectVector(first.weights, [0.6, 0.4]);
    expectVector(first.update, [0, 1, 1]);
    const second = weightsOf(bent);
    expectVector(second.weights, [0.6, 0.4, 0]);
    expectVector(second.update, [0.4, 0.2]);
  });

  it('takes the shorter of two gradients where it is the shortest combination', () => {
    expectVector(
      weightsOf([
        [1, 0],
        [3, 1],
      ]).weights,
      [1, 0],
      0,
    );
  });

  it('keeps one objective plain', () => {
    expectVector(weightsOf([[3, -1]]).weights, [1], 0);
    expectVector(weightsOf([[3, -4]], { normalization: 'l2' }).weights, [1], 0);
    const normalized = { normalization: 'l2', applyTo: 'normalized' } as const;
    expectVector(weightsOf([[3, -4]], normalized).weights, [0.2]);
  });

  it('finds weights on the simplex with no descent left (the optimality conditions)', () => {
    fc.assert(
      fc.property(jacobians, (jacobian) => {
        const before = structuredClone(jacobian);
        const { weights, update, note } = weightsOf(jacobian);
        expect(jacobian).toEqual(before);
        const longest = Math.max(...jacobian.map(norm));
        if (note === 'stationary') {
          expect([...weights]).toEqual(jacobian.map(() => 0));
          return;
        }
        expect(Math.min(...weights)).toBeGreaterThanOrEqual(0);
        expect(weights.reduce((total, weight) => total + weight, 0)).toBeCloseTo(1, 12);
        const squared = dot(update, update);
        jacobian.forEach((row, k) => {
          // ⟨u, g_k⟩ >= |u|², with equality where the weight is positive.
          const slack = dot(update, row) - squared;
          expect(slack).toBeGreaterThanOrEqual(-1e-9 * longest ** 2);
          expect(weights[k]! * slack).toBeLessThanOrEqual(1e-9 * longest ** 2);
        });
      }),
    );
  });

  it('is stationary at opposite, zero and surrounding gradients, whatever the normalization', () => {
    const stationary = [
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
        [0, 0],
      ],
      [[0, 0]],
      [
        [1, 0],
        [-1, 1],
        [-1, -1],
      ],
    ];
    for (const jacobian of stationary) {
      for (const normalization of ['none', 'l2', 'loss', 'loss+'] as const) {
        for (const applyTo of ['raw', 'normalized'] as const) {
          const losses = jacobian.map((_, k) => k + 0.5);
          const { weights, note } = weightsOf(jacobian, { normalization, applyTo }, losses);
          expect([...weights]).toEqual(jacobian.map(() => 0));
          expect(note).toBe('stationary');
        }
      }
    }
  });

  it('shares the weight of duplicates', () => {
    const { weights, update } = weightsOf([steep[0]!, steep[1]!, steep[0]!]);
    expect(weights[0]! + weights[2]!).toBeCloseTo(0.6, 9);
    expectVector(update, [0, 1, 1]);
  });
});

describe('normalization', () => {
  const losses = [0.5, 2];

  it('asks for losses only where it divides by them', () => {
    expect(mgda().needs).toEqual({ gradients: 'gramian' });
    expect(mgda({ normalization: 'l2' }).needs).toEqual({ gradients: 'gramian' });
    for (const normalization of ['loss', 'loss+'] as const) {
      expect(mgda({ normalization }).needs).toEqual({ gradients: 'gramian', losses: 'now' });
    }
    const seen = groupGradients({ objectives: ['a', 'b'], gramian: gramianOf(steep) });
    expect(mgda({ normalization: 'l2' }).integrate(seen, null).weights.length).toBe(2);
  });

  it('l2: two unit gradients have the weights 1/2', () => {
    expectVector(weightsOf(steep, { normalization: 'l2' }).weights, [0.5, 0.5]);
    expectVector(weightsOf(steep, { normalization: 'l2', applyTo: 'normalized' }).weights, [
      0.5 / Math.sqrt(18),
      0.5 / Math.sqrt(38),
    ]);
  });

  it('equals mgda on the divided gradients', () => {
    const divisors = {
      none: () => 1,
      l2: (row: readonly number[]) => norm(row),
      loss: (_: readonly number[], loss: number) => loss,
      'loss+': (row: readonly number[], loss: number) => loss * norm(row),
    };
    const loss = fc.integer({ min: 1, max: 500 }).map((value) => value / 100);
    fc.assert(
      fc.property(
        jacobians,
        fc.array(loss, { minLength: 5, maxLength: 5 }),
        fc.constantFrom('none', 'l2', 'loss', 'loss+'),
        (jacobian, allLosses, normalization) => {
          fc.pre(jacobian.every((row) => norm(row) > 0));
          const given = allLosses.slice(0, jacobian.length);
          const by = jacobian.map((row, k) => divisors[normalization](row, given[k]!));
          const divided = jacobian.map((row, k) => row.map((value) => value / by[k]!));
          const expected = weightsOf(divided);
          const applied = weightsOf(jacobian, { normalization, applyTo: 'normalized' }, given);
          expect(applied.note).toBe(expected.note);
          const size = Math.max(...divided.map(norm));
          // Weights of dependent gradients are not unique, the update is.
          expectVector(applied.update, [...expected.update], 1e-6 * size);
          const raw = weightsOf(jacobian, { normalization }, given);
          raw.weights.forEach((weight, k) => {
            expect(weight / by[k]!).toBeCloseTo(applied.weights[k]!, 12);
          });
        },
      ),
    );
  });

  it('may raise a loss when its weights are applied to raw gradients', () => {
    const lopsided = [
      [1, 0],
      [-10, 10],
    ];
    const raw = weightsOf(lopsided, { normalization: 'l2' });
    expect(dot(raw.update, lopsided[0]!)).toBeLessThan(-1);
    const normalized = weightsOf(lopsided, { normalization: 'l2', applyTo: 'normalized' });
    for (const row of lopsided) expect(dot(normalized.update, row)).toBeGreaterThan(0);
  });

  it('has the degree of homogeneity that the README states', () => {
    const scaled = steep.map((row) => row.map((value) => value * 1e15));
    for (const [options, degree] of [
      [{ normalization: 'l2' }, 1],
      [{ normalization: 'loss' }, 1],
      [{ normalization: 'loss', applyTo: 'normalized' }, 1],
      [{ normalization: 'loss+' }, 1],
      [{ normalization: 'l2', applyTo: 'normalized' }, 0],
      [{ normalization: 'loss+', applyTo: 'normalized' }, 0],
    ] as const) {
      const expected = weightsOf(steep, options, losses).update;
      const { update } = weightsOf(scaled, options, losses);
      expect(norm(update) / norm(expected) / 1e15 ** degree).toBeCloseTo(1, 9);
    }
  });

  it('refuses losses that it cannot divide by, and names the objective', () => {
    for (const loss of [0, -1]) {
      const attempt = () =>
        integrateMatrix(mgda({ normalization: 'loss' }), steep, {
          objectives: ['image', 'audio'],
          losses: [1, loss],
        });
      expect(attempt).toThrow(
        `The loss of objective \`audio\` should be > 0, because \`mgda\` with normalization "loss" divides by it. Found ${loss}.`,
      );
      try {
        attempt();
      } catch (error) {
        expect(MultigradError.isInstance(error) && error.code).toBe('invalid-objective');
      }
    }
    expect(weightsOf(steep, { normalization: 'l2' }, [0, -1]).note).toBeUndefined();
  });
});

describe('plugin', () => {
  it('describes the factory', () => {
    expect(plugin.name).toBe(mgda().name);
    const made = createStrategy(plugin, { normalization: 'loss', applyTo: 'normalized' });
    expect(made.needs).toEqual({ gradients: 'gramian', losses: 'now' });
    expect(() => createStrategy(plugin, { normalization: 'L2' })).toThrow(
      'Option `normalization` of `mgda` should be "none" or "l2" or "loss" or "loss+". Found "L2". Did you mean `l2`?',
    );
  });
});
