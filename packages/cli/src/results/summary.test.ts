import { describe, expect, it } from 'vitest';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import { conflictsOf, summarize } from './summary.ts';

describe('summarize', () => {
  it('takes mean and spread over seeds of the last epoch, whatever earlier epochs reached', () => {
    const { config, runs } = recordedComparison({ strategies: ['sum'], seeds: [0, 1] });
    const accuracy = (value: number): { loss: number; accuracy: number } => ({
      loss: 1,
      accuracy: value,
    });
    const changed = runs.map((run, seed) => ({
      ...run,
      epochs: [
        { ...run.epochs[0]!, test: { gray: accuracy(0.99) } },
        { ...run.epochs[1]!, test: { gray: accuracy(0.5 + 0.2 * seed) } },
      ],
    }));
    const [row] = summarize(config, changed).rows;
    expect(row!.score['gray']!.mean).toBeCloseTo(0.6, 14);
    expect(row!.score['gray']!.sd).toBeCloseTo(0.1 * Math.SQRT2, 14);
    expect(row!.score['gray']!.n).toBe(2);
  });

  it('keeps the order of the configuration and the objectives’ order', () => {
    const { config, runs } = recordedComparison({ strategies: ['mgda', 'sum', 'joint'] });
    const summary = summarize(config, [...runs].reverse());
    expect(summary.rows.map(({ strategy }) => strategy)).toEqual(['mgda', 'sum', 'joint']);
    expect(summary.objectives).toEqual(['multimodal', 'gray', 'color']);
    expect(summary.groups).toEqual(['gray/multimodal+gray', 'color/multimodal+color']);
    expect(summary.notes).toEqual([]);
  });

  it('averages finished runs alone, and names the others', () => {
    const { config, runs } = recordedComparison({
      strategies: ['sum', 'mgda'],
      cutShort: (strategy, seed) =>
        strategy === 'sum' && seed === 1 ? { epochs: 1, status: 'stopped' } : undefined,
    });
    const summary = summarize(config, runs);
    expect(summary.rows[0]).toMatchObject({ strategy: 'sum', seeds: [0], unfinished: false });
    expect(summary.rows[1]).toMatchObject({ strategy: 'mgda', seeds: [0, 1], unfinished: false });
    expect(summary.notes).toEqual(['Sum, seed 1: stopped after epoch 1 of 4.']);
    expect(summary.shown).toHaveLength(3);
  });

  it('lets runs cut short stand in, marked, where none has finished', () => {
    const { config, runs } = recordedComparison({
      strategies: ['sum', 'mgda'],
      seeds: [0],
      cutShort: (strategy) => ({ epochs: strategy === 'sum' ? 2 : 0, status: 'failed' }),
    });
    const summary = summarize(config, runs);
    expect(summary.rows).toHaveLength(1);
    expect(summary.rows[0]).toMatchObject({ strategy: 'sum', unfinished: true, steps: 94 });
    expect(summary.notes).toEqual([
      'Sum, seed 0: failed after epoch 2 of 4: Loss of `gray` is NaN at step 12.',
      'MGDA, seed 0: failed in its first epoch, after 0 steps: Loss of `gray` is NaN at step 12.',
    ]);
  });

  it('says which runs are missing', () => {
    const { config, runs } = recordedComparison({ strategies: ['sum'], seeds: [0, 1] });
    expect(summarize(config, runs.slice(0, 1)).notes).toEqual(['Sum, seed 1: not run yet.']);
  });

  it('adds up the epochs of a run whose program was killed', () => {
    const { runs } = recordedComparison({ strategies: ['mgda'], seeds: [0] });
    const whole = conflictsOf(runs[0]!);
    expect(conflictsOf({ ...runs[0]!, result: null })).toEqual(whole);
  });

  it('takes conflict rates per run before it averages them', () => {
    const { config, runs } = recordedComparison({ strategies: ['sum'], seeds: [0, 1] });
    const key = 'gray/multimodal+gray';
    const changed = runs.map((run, seed) => ({
      ...run,
      result: {
        ...run.result!,
        conflicts: {
          [key]: seed === 0 ? { seen: 10, conflicting: 1 } : { seen: 1000, conflicting: 300 },
        },
      },
    }));
    expect(summarize(config, changed).rows[0]!.conflictRate[key]!.mean).toBeCloseTo(0.2, 14);
  });
});
