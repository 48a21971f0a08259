import { describe, expect, it } from 'vitest';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import type { Summary } from './figures.ts';
import { differenceFindings, formatP, standingSentences } from './findings.ts';
import { summarize } from './summary.ts';
import { resultsTable } from './table.ts';

type Scores = Readonly<Record<string, readonly number[]>>;

/** A comparison whose runs end with these test accuracies of one objective, by strategy and seed. */
function summaryOf(scores: Scores): Summary {
  const seeds = Object.values(scores)[0]!.map((_, seed) => seed);
  const { config, runs } = recordedComparison({
    strategies: Object.keys(scores),
    seeds,
    epochs: 1,
  });
  return summarize(
    config,
    runs.map((run) => ({
      ...run,
      steps: [],
      epochs: run.epochs.map((epoch) => ({
        ...epoch,
        test: { gray: { loss: 1, accuracy: scores[run.strategy]![run.seed]! } },
      })),
    })),
  );
}

const scores: Scores = {
  sum: [0.6, 0.61, 0.6, 0.62, 0.61],
  mmpareto: [0.61, 0.64, 0.59, 0.66, 0.63],
  mgda: [0.5, 0.52, 0.51, 0.5, 0.53],
};

describe('differenceFindings', () => {
  it('says the difference, the interval, the test, n, the correction and the seeds it would take', () => {
    // scipy.stats.ttest_rel: p = .1045 and .000145; intervals −.0059 to .0419 and −.1148 to −.0772.
    expect(differenceFindings(summaryOf(scores))).toEqual([
      {
        objective: 'gray',
        sentences: [
          'Over 5 seeds MMPareto is 1.8 points above Sum (95 % interval −0.6 to 4.2; paired t test, p = .10 after Holm’s ' +
            'correction for 2 comparisons). To see a difference of this size and spread with power .8 would take 14 seeds, the correction included.',
          'Over 5 seeds MGDA is 9.6 points below Sum (95 % interval −11.5 to −7.7; paired t test, p < .001 after Holm’s ' +
            'correction for 2 comparisons).',
        ],
      },
    ]);
  });

  it('says that one seed says nothing', () => {
    const one = summaryOf({ sum: [0.6], mmpareto: [0.62] });
    expect(differenceFindings(one)[0]!.sentences).toEqual([
      'With one seed MMPareto is 2.0 points above Sum; nothing can be said about a difference.',
    ]);
    expect(standingSentences(one)).toEqual([]);
    expect(resultsTable(one).standings).toBeUndefined();
  });

  it('names the exact test where the difference is the same for every seed', () => {
    const same = summaryOf({ sum: [0.6, 0.61], mmpareto: [0.62, 0.63], mgda: [0.6, 0.61] });
    expect(differenceFindings(same)[0]!.sentences).toEqual([
      'Over 2 seeds MMPareto is 2.0 points above Sum (the same for every seed; exact sign-flip test, p = 1 after Holm’s ' +
        'correction for 2 comparisons).',
      'Over 2 seeds MGDA is level with Sum (the same for every seed; exact sign-flip test, p = 1 after Holm’s correction ' +
        'for 2 comparisons).',
    ]);
  });
});

describe('standings', () => {
  it('mark the best and those that its paired tests do not tell from it', () => {
    const summary = summaryOf(scores);
    expect(resultsTable(summary).standings!.map((line) => line[1])).toEqual([
      'close',
      'best',
      'behind',
    ]);
    expect(standingSentences(summary)).toEqual([
      'gray: MMPareto is best; not distinguishable from it: Sum.',
    ]);
  });

  it('leave out runs that were cut short', () => {
    const { config, runs } = recordedComparison({
      strategies: ['sum', 'pcgrad', 'mgda'],
      cutShort: (strategy) => (strategy === 'mgda' ? { epochs: 3, status: 'stopped' } : undefined),
    });
    const { rows } = summarize(config, runs);
    expect(rows.map(({ standing }) => standing['multimodal'])).toEqual(['behind', 'best', null]);
  });
});

describe('formatP', () => {
  it.each([
    [0.2, 'p = .20'],
    [0.0449, 'p = .045'],
    [0.04999, 'p = .050'],
    [0.0044, 'p = .004'],
    [0.0004, 'p < .001'],
    [1, 'p = 1'],
  ])('writes %d as %s', (p, text) => expect(formatP(p)).toBe(text));
});
