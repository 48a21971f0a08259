import { describe, expect, it } from 'vitest';
import { addCompilation, compilationText, noCompilation } from './compilation.ts';

const some = {
  ...{ replayed: 5, recorded: 2, changed: 'the backend has other kernels' },
  plain: { 'kernels are profiled': 3 },
};

describe('addCompilation', () => {
  it('adds up counts, and plain passes by their reasons', () => {
    expect(addCompilation(some, { ...some, plain: { ...some.plain, other: 1 } })).toEqual({
      ...{ replayed: 10, recorded: 4, changed: some.changed },
      plain: { 'kernels are profiled': 6, other: 1 },
    });
  });

  it('keeps the latest reason for a new plan', () => {
    expect(addCompilation(some, noCompilation)).toEqual(some);
    expect(addCompilation(some, { ...noCompilation, changed: 'now' }).changed).toBe('now');
  });
});

describe('compilationText', () => {
  it('says how many passes were made in each way, and why they were plain', () => {
    expect(compilationText(some)).toBe(
      '5 by a plan, 2 noted for one, 3 plain (3: kernels are profiled)',
    );
    expect(compilationText({ ...some, plain: { ...some.plain, other: 1 } })).toBe(
      '5 by a plan, 2 noted for one, 4 plain (3: kernels are profiled; 1: other)',
    );
    expect(compilationText({ ...some, plain: {} })).toBe('5 by a plan, 2 noted for one, 0 plain');
  });
});
