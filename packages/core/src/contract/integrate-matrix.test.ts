import { describe, expect, it } from 'vitest';
import { fixedWeights, rankByTensor, unitSum } from '../testing/strategies.ts';
import type { GradientStrategy, GroupGradients, Integration } from './strategy.ts';
import { integrateMatrix } from './integrate-matrix.ts';

const jacobian = [
  [3, 4, 1],
  [0, 2, 1],
];

describe('integrateMatrix', () => {
  it('returns weights and the update they mean', () => {
    const { weights, update } = integrateMatrix(fixedWeights({ b: 2 }), jacobian, {
      objectives: ['a', 'b'],
    });
    expect([...weights]).toEqual([1, 2]);
    expect([...update]).toEqual([3, 8, 3]);
  });

  it('carries the state', () => {
    const first = integrateMatrix(unitSum(), jacobian);
    expect(integrateMatrix(unitSum(), jacobian, { state: first.state }).state).toBe(2);
  });

  it('gives each tensor its own weights', () => {
    const tensors = [
      { name: 'x', size: 1 },
      { name: 'y', size: 2 },
    ];
    const { update, weights } = integrateMatrix(rankByTensor(), jacobian, {
      tensors,
      losses: [5, 6],
    });
    expect([...update]).toEqual([3, 4 * 11 + 2 * 12, 11 + 12]);
    expect([...weights]).toEqual([5, 6]);
  });

  it('leaves its input alone', () => {
    const rows = jacobian.map((row) => Object.freeze([...row]));
    integrateMatrix(unitSum(), Object.freeze(rows));
    expect(rows).toEqual(jacobian);
  });

  it('shows a strategy no more than it asked for', () => {
    const peeking: GradientStrategy = {
      ...fixedWeights(),
      name: 'peeking',
      integrate: ({ gramian }, state) => ({ weights: gramian.values, state }),
    };
    expect(() => integrateMatrix(peeking, jacobian)).toThrow(
      /`peeking` read `gramian` without asking/,
    );
    const greedy: GradientStrategy = {
      ...(unitSum() as unknown as GradientStrategy),
      integrate: ({ losses }, state) => ({ weights: losses, state }),
    };
    expect(() => integrateMatrix(greedy, jacobian, { losses: [1, 2] })).toThrow(/`losses: 'now'`/);
  });

  it('gives a strategy the Gramians of its tensors, which add up to the whole', () => {
    let seen: GroupGradients | undefined;
    const watching: GradientStrategy = {
      ...rankByTensor(),
      needs: { gradients: 'tensor-gramians' },
      integrate: (gradients, state) => {
        seen = gradients;
        return { weights: Float64Array.of(1, 1), state };
      },
    };
    integrateMatrix(watching, jacobian, {
      tensors: [
        { name: 'x', size: 2 },
        { name: 'empty', size: 0 },
        { name: 'y', size: 1 },
      ],
    });
    expect([...seen!.tensorGramians.get('x')!.values]).toEqual([25, 8, 8, 4]);
    expect([...seen!.tensorGramians.get('empty')!.values]).toEqual([0, 0, 0, 0]);
    expect([...seen!.tensorGramians.get('y')!.values]).toEqual([1, 1, 1, 1]);
    expect([...seen!.gramian.values]).toEqual([26, 9, 9, 5]);
  });

  it('computes no inner products for a strategy that sees no gradients', () => {
    // Rows whose squares float64 cannot hold: only inner products would mind.
    const { update } = integrateMatrix(fixedWeights(), [[1e200], [-3e200]]);
    expect(update[0]! / 1e200).toBeCloseTo(-2, 14);
    expect(() => integrateMatrix(unitSum(), [[1e200], [-3e200]])).toThrow(/representable/);
    expect(() => integrateMatrix(fixedWeights(), [[1], [NaN]])).toThrow(/Found NaN in row 1/);
  });

  it('computes what is needed now where that is less than what is ever needed', () => {
    const seldom: GradientStrategy = {
      ...(unitSum() as unknown as GradientStrategy),
      needsNow: () => ({ gradients: 'none' }),
      integrate: ({ gramian }, state) => ({ weights: gramian.values, state }),
    };
    expect(() => integrateMatrix(seldom, jacobian)).toThrow(/read `gramian` without asking/);
    const keeping: GradientStrategy = {
      ...fixedWeights(),
      needs: seldom.needs,
      needsNow: () => ({ gradients: 'none' }),
    };
    // Only inner products would mind rows whose squares float64 cannot hold.
    expect([...integrateMatrix(keeping, [[1e200]]).update]).toEqual([1e200]);
  });

  it('refuses losses that are no numbers, before they reach a state, as training does', () => {
    const learned: GradientStrategy<{ seen: number }> = {
      specification: 1,
      name: 'learned',
      needs: { gradients: 'none', losses: 'now' },
      init: () => ({ seen: 0 }),
      integrate: ({ losses }, { seen }) => ({
        weights: losses,
        state: { seen: seen + losses[0]! },
      }),
    };
    for (const loss of [NaN, Infinity, -Infinity]) {
      const call = () => integrateMatrix(learned, jacobian, { losses: [1, loss], step: 7 });
      expect(call).toThrow(
        `The loss of objective \`1\` should be finite. Found ${loss} at step 7.`,
      );
      // A strategy that does not look at them hears of it too.
      expect(() => integrateMatrix(fixedWeights(), jacobian, { losses: [loss, 1] })).toThrow(
        'finite',
      );
    }
    expect(() => integrateMatrix(fixedWeights(), jacobian, { losses: [1] })).toThrow(
      'Option `losses` should hold a number for each of the 2 objectives. Found 1.',
    );
  });

  it('asks for losses where they are needed, one for each row', () => {
    expect(() => integrateMatrix(rankByTensor(), jacobian)).toThrow(
      /losses of 0, 1, which strategy `rank-by-tensor` needs/,
    );
    expect(() => integrateMatrix(rankByTensor(), jacobian, { losses: [1] })).toThrow(
      /each of the 2 objectives. Found 1/,
    );
  });

  it('keeps a state that is null, false or 0', () => {
    const inits: string[] = [];
    const counted: GradientStrategy = {
      ...fixedWeights(),
      init: ({ key }) => {
        inits.push(key);
        return 1;
      },
    };
    for (const state of [null, false, 0]) {
      expect(integrateMatrix(counted, jacobian, { state }).state).toBe(state);
    }
    expect(inits).toEqual([]);
    expect(integrateMatrix(counted, jacobian, { key: 'encoder' }).state).toBe(1);
    expect(inits).toEqual(['encoder']);
  });

  it('hands on notes and diagnostics', () => {
    const noting: GradientStrategy = {
      ...fixedWeights(),
      integrate: (_, state) => ({
        weights: new Float64Array(2),
        state,
        note: 'stationary',
        diagnostics: { lambda: 2 },
      }),
    };
    expect(integrateMatrix(noting, jacobian)).toMatchObject({
      note: 'stationary',
      diagnostics: { lambda: 2 },
      update: new Float64Array(3),
    });
  });

  it('refuses weights that are too few, not finite or of no tensor, and an update beyond float64', () => {
    const returning = (integration: Partial<Integration>): GradientStrategy => ({
      ...fixedWeights(),
      name: 'odd',
      integrate: (_, state) => ({ weights: new Float64Array(2), state, ...integration }),
    });
    expect(() => integrateMatrix(returning({ weights: Float64Array.of(1) }), jacobian)).toThrow(
      /`odd` should return one weight for each of 0, 1. Found 1/,
    );
    expect(() =>
      integrateMatrix(returning({ weights: Float64Array.of(1, Infinity) }), jacobian),
    ).toThrow(/`odd` should return finite weights. Found Infinity for objective `1`/);
    const tensorWeights = new Map([['kernal', Float64Array.of(1, 1)]]);
    expect(() => integrateMatrix(returning({ tensorWeights }), jacobian)).toThrow(
      /`odd` should return weights for tensors of the group: matrix. Found `kernal`/,
    );
    expect(() =>
      integrateMatrix(returning({ weights: Float64Array.of(1e308, 1e308) }), jacobian),
    ).toThrow(/update should be representable in float64. Found Infinity in column 0/);
  });

  it('refuses sizes that do not match and strategies of another specification', () => {
    expect(() =>
      integrateMatrix(unitSum(), jacobian, { tensors: [{ name: 'x', size: 2 }] }),
    ).toThrow(/add up to the 3 columns.*Found 2/);
    expect(() =>
      integrateMatrix(unitSum(), jacobian, {
        tensors: [
          { name: 'x', size: 1 },
          { name: 'x', size: 2 },
        ],
      }),
    ).toThrow(/own name. Found `x` twice/);
    expect(() =>
      integrateMatrix(unitSum(), jacobian, {
        tensors: [
          { name: 'x', size: 4 },
          { name: 'y', size: -1 },
        ],
      }),
    ).toThrow(/tensor `y` should be an integer >= 0. Found -1/);
    expect(() => integrateMatrix(unitSum(), jacobian, { objectives: ['a'] })).toThrow(
      /name each of the 2 rows.*Found 1 names/,
    );
    expect(() => integrateMatrix(unitSum(), jacobian, { objectives: ['a', 'a'] })).toThrow(
      /each once/,
    );
    const future = { ...unitSum(), specification: 2 } as unknown as GradientStrategy;
    expect(() => integrateMatrix(future, jacobian)).toThrow(/`specification` 1. Found/);
  });
});
