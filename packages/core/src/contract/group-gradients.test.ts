import { describe, expect, it } from 'vitest';
import { MultigradError } from '../base/errors.ts';
import { gramianOf } from '../algebra/gramian-of.ts';
import { groupGradients, type GroupGradientsParts } from './group-gradients.ts';
import type { GroupGradients } from './strategy.ts';

const gramian = gramianOf([
  [1, 0],
  [1, 1],
]);
const full: GroupGradientsParts = {
  objectives: ['a', 'b'],
  gramian,
  tensorGramians: new Map([['kernel', gramian]]),
  losses: Float64Array.of(1, 2),
  step: 3,
};

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (MultigradError.isInstance(error)) return error.code;
    throw error;
  }
  return 'none';
}

describe('groupGradients', () => {
  it('shows what it was given', () => {
    const group = groupGradients(full);
    expect(group.objectives).toEqual(['a', 'b']);
    expect(group.gramian).toBe(gramian);
    expect(group.tensorGramians.get('kernel')).toBe(gramian);
    expect([...group.losses]).toEqual([1, 2]);
    expect(group.step).toBe(3);
    expect(groupGradients({ objectives: ['a'] }).step).toBe(0);
  });

  it.each<[keyof GroupGradients, string]>([
    ['gramian', "`gradients: 'gramian'`"],
    ['tensorGramians', "`gradients: 'tensor-gramians'`"],
    ['losses', "`losses: 'now'`"],
  ])(
    'throws where %s is read and was left out, naming what the needs should say',
    (part, needs) => {
      const read = (strategy?: string) => () =>
        groupGradients({ objectives: ['a', 'b'], strategy })[part];
      expect(codeOf(read())).toBe('not-requested');
      expect(read('peeking')).toThrow(
        `Strategy \`peeking\` read \`${part}\` without asking for it.`,
      );
      expect(read('peeking')).toThrow(`its \`needs\` should say ${needs}.`);
      expect(read()).toThrow(`A strategy read \`${part}\``);
    },
  );

  it.each<[string, Partial<GroupGradientsParts>, string, RegExp]>([
    ['no objective', { objectives: [] }, 'invalid-argument', /at least one name.*Found \[\]/],
    ['a name twice', { objectives: ['a', 'a'] }, 'invalid-argument', /each once. Found \[a, a\]/],
    ['a larger Gramian', { objectives: ['a'] }, 'invalid-argument', /each of the 1 obj.*Found 2/],
    [
      'a larger Gramian of a tensor',
      { gramian: undefined, tensorGramians: new Map([['bias', gramianOf([[1]])]]) },
      'invalid-argument',
      /The Gramian of tensor `bias` should have one row for each of the 2 objectives. Found 1/,
    ],
    [
      'NaN in a Gramian',
      { gramian: { ...gramian, values: Float64Array.of(1, NaN, NaN, 1) } },
      'non-finite',
      /The Gramian should have finite entries. Found NaN/,
    ],
    [
      'a loss too many',
      { losses: new Float64Array(3) },
      'invalid-argument',
      /losses.*2 o.*Found 3/,
    ],
  ])('refuses %s', (_, change, code, message) => {
    const make = (): unknown => groupGradients({ ...full, ...change });
    expect(make).toThrow(message);
    expect(codeOf(make)).toBe(code);
  });
});
