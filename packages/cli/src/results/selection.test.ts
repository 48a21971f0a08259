import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../runs/records.ts';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import { selectEpoch, selectRate } from './selection.ts';
import { summarize } from './summary.ts';

const { config, runs } = recordedComparison({ strategies: ['sum', 'mgda'], seeds: [0, 1] });
const score = (accuracy: number): { loss: number; accuracy: number } => ({ loss: 1, accuracy });

/** The run with these accuracies on validation data, and the opposite on the test set. */
function validated(run: RunRecord, accuracies: readonly number[], lr = 0.01): RunRecord {
  const epochs = accuracies.map((accuracy, index) => ({
    ...run.epochs[index]!,
    validation: { multimodal: score(accuracy), gray: score(1 - accuracy) },
    test: { multimodal: score(1 - accuracy), gray: score(0.5), color: score(0.5) },
  }));
  return { ...run, lr, epochs };
}

describe('selectEpoch', () => {
  it('takes the last epoch, or the first of those that validate best by the joint objective', () => {
    const run = validated(runs[0]!, [0.2, 0.9, 0.9, 0.4]);
    expect(selectEpoch(run, config)!.epoch).toBe(4);
    const best = { ...config, settings: { ...config.settings, select: 'best' } };
    expect(selectEpoch(run, best)!.epoch).toBe(2);
    expect(summarize(best, [run]).rows[0]!.score['multimodal']!.mean).toBeCloseTo(0.1, 12);
    expect(selectEpoch({ ...run, epochs: [] }, best)).toBeNull();
  });
});

describe('selectRate', () => {
  const swept = { ...config, settings: { ...config.settings, lr: '0.001,0.01,0.1' } };
  const all = [0.001, 0.01, 0.1].flatMap((lr, index) =>
    runs.map((run) => {
      const accuracy = run.strategy === 'sum' ? [0.4, 0.8, 0.6][index]! : [0.7, 0.3, 0.9][index]!;
      return validated(run, [accuracy + (run.seed === 0 ? 0.05 : -0.05)], lr);
    }),
  );

  it('takes for each strategy the rate that validates best over its seeds', () => {
    const { rows, shown, notes } = summarize(swept, all);
    expect(rows.map(({ strategy, lr, seeds }) => [strategy, lr, seeds])).toEqual([
      ['sum', 0.01, [0, 1]],
      ['mgda', 0.1, [0, 1]],
    ]);
    // By the test set it would have been 0.001 and 0.01.
    expect(rows[0]!.score['multimodal']!.mean).toBeCloseTo(0.2, 12);
    expect(shown).toHaveLength(4);
    expect(notes).toEqual([]);
  });

  it('does not choose a rate at which no run has finished', () => {
    const failing = all.map((run) =>
      run.lr === 0.01 ? { ...run, result: { ...run.result!, status: 'failed' as const } } : run,
    );
    const sums = failing.filter(({ strategy }) => strategy === 'sum');
    expect(selectRate(sums, swept)).toBe(0.1);
    expect(summarize(swept, failing.slice(1)).notes[0]).toBe(
      'Sum, seed 0, learning rate 0.001: not run yet.',
    );
  });
});

describe('comparisons', () => {
  it('take differences seed by seed and gains over single baselines', () => {
    const names = ['sum', 'joint', 'only-gray', 'only-color', 'mgda'];
    const { config: wide, runs: made } = recordedComparison({ strategies: names, seeds: [0, 1] });
    const summary = summarize(wide, made);
    const accuracy = (strategy: string, seed: number, objective: string): number =>
      made.find((run) => run.strategy === strategy && run.seed === seed)!.epochs.at(-1)!.test[
        objective
      ]!.accuracy!;
    const row = summary.rows.find(({ strategy }) => strategy === 'mgda')!;
    expect(row.difference['gray']!.mean).toBeCloseTo(
      (accuracy('mgda', 0, 'gray') -
        accuracy('sum', 0, 'gray') +
        accuracy('mgda', 1, 'gray') -
        accuracy('sum', 1, 'gray')) /
        2,
      12,
    );
    const gain = (seed: number): number =>
      (100 / 3) *
      (
        [
          ['multimodal', 'joint'],
          ['gray', 'only-gray'],
          ['color', 'only-color'],
        ] as const
      ).reduce((sum, [objective, alone]) => {
        const base = accuracy(alone, seed, objective);
        return sum + (accuracy('mgda', seed, objective) - base) / base;
      }, 0);
    expect(row.relativeGain!.mean).toBeCloseTo((gain(0) + gain(1)) / 2, 9);
    expect(summary.reference).toBe('sum');
    expect(summary.rows[0]!.difference['gray']).toBeNull();
    // Without one of the baselines there is nothing to relate gains to.
    const fewer = made.filter((run) => run.strategy !== 'only-color');
    expect(summarize(wide, fewer).rows[0]!.relativeGain).toBeNull();
  });
});
