import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { summarize } from '../results/summary.ts';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import { cosineChart, cosineHistogram, cosinesOf } from './charts/cosines.ts';
import { numbersOf } from './charts/front.ts';
import { binnedMedians, normChart, weightChart } from './charts/steps.ts';
import { maximumPanels } from './chart.ts';
import { logTicks, wholeTicks } from './line-panel.ts';
import { strategyStyles } from './palette.ts';

describe('wholeTicks', () => {
  it.each([
    [
      [1, 4],
      [1, 2, 3, 4],
    ],
    [
      [0, 1],
      [0, 1],
    ],
    [
      [1, 20],
      [5, 10, 15, 20],
    ],
    [
      [0, 188],
      [0, 50, 100, 150],
    ],
    [
      [0, 2496],
      [0, 500, 1000, 1500, 2000],
    ],
  ] as const)('marks %j by %j', ([from, to], ticks) => {
    expect(wholeTicks([from, to])).toEqual(ticks);
  });

  it('stays within the axis, in equal whole steps, two to eight of them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 2, max: 1e7 }), (from, to) => {
        const ticks = wholeTicks([from, to]);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(8);
        for (const tick of ticks)
          expect(Number.isInteger(tick) && tick >= from && tick <= to).toBe(true);
      }),
    );
  });
});

describe('numbersOf', () => {
  it('writes the numbers of marks that are close together side by side', () => {
    expect(
      numbersOf([
        [10, 10],
        [60, 10],
        [12, 8],
        [10, 30],
        [14, 12],
      ]),
    ).toEqual([
      { at: 0, text: '1, 3, 5' },
      { at: 1, text: '2' },
      { at: 3, text: '4' },
    ]);
  });
});

describe('logTicks', () => {
  it.each([
    [
      [0.001, 100],
      [0.001, 0.01, 0.1, 1, 10, 100],
    ],
    [
      [0.09, 1.2],
      [0.1, 0.2, 0.5, 1],
    ],
    [
      [1.1, 3.2],
      [1.5, 2, 3],
    ],
  ] as const)('marks %j by %j', ([from, to], ticks) => {
    expect(logTicks([from, to])).toEqual(ticks);
  });
});

describe('binnedMedians', () => {
  it('keeps single steps of a short run and takes stretches of a long one', () => {
    expect(
      binnedMedians(
        [
          { step: 0, value: 3 },
          { step: 2, value: 5 },
        ],
        4,
      ),
    ).toEqual([
      { x: 0.5, y: 3 },
      { x: 2.5, y: 5 },
    ]);
    const samples = Array.from({ length: 3000 }, (_, step) => ({
      step,
      value: step < 100 ? [1, 7, 2][step % 3]! : 9,
    }));
    const bins = binnedMedians(samples, 3000);
    expect(bins).toHaveLength(30);
    expect(bins[0]).toEqual({ x: 50, y: 2 });
  });
});

describe('cosineHistogram', () => {
  it('puts each cosine into its tenth, the ends included', () => {
    const bins = cosineHistogram([-1, -0.95, -0.1, 0, 0.05, 0.1, 1, 1]);
    expect(bins).toHaveLength(20);
    const share = (from: number): number => bins.find((bin) => bin.from === from)!.share;
    expect([share(-1), share(-0.1), share(0), share(0.1), share(0.9)]).toEqual([
      25, 12.5, 25, 12.5, 25,
    ]);
    expect(bins.reduce((sum, bin) => sum + bin.share, 0)).toBe(100);
  });
});

describe('cosinesOf', () => {
  it('takes each pair of objectives once', () => {
    const { config, runs } = recordedComparison({ strategies: ['sum'], seeds: [0] });
    const cosines = [
      [1, 0.1, 0.2],
      [0.1, 1, 0.3],
      [0.2, 0.3, 1],
    ];
    const key = 'gray/multimodal+gray';
    const steps = runs[0]!.steps
      .slice(0, 2)
      .map((step) => ({ ...step, groups: [{ ...step.groups[0]!, cosines }] }));
    expect(cosinesOf(summarize(config, [{ ...runs[0]!, steps }]), 'sum', key)).toEqual([
      0.1, 0.2, 0.3, 0.1, 0.2, 0.3,
    ]);
  });
});

describe('charts of many groups', () => {
  it('show some and say how many there are', () => {
    const { config, runs } = recordedComparison({ strategies: ['sum'], seeds: [0] });
    const keys = Array.from({ length: 40 }, (_, k) => `layer${k}`);
    const many = runs.map((run) => ({
      ...run,
      steps: run.steps.map((step) => ({
        ...step,
        groups: keys.map((key) => ({ ...step.groups[0]!, key })),
      })),
      result: {
        ...run.result!,
        conflicts: Object.fromEntries(keys.map((key) => [key, { seen: 1, conflicting: 0 }])),
      },
    }));
    const styles = strategyStyles(['sum']);
    const summary = summarize(config, many);
    for (const [make, what] of [
      [cosineChart, '40 groups'],
      [normChart, '80 pairs'],
      [weightChart, '80 pairs'],
    ] as const) {
      const chart = make(summary, styles)!;
      expect(chart.panels).toHaveLength(maximumPanels);
      expect(chart.explanation).toContain(`The first 12 of ${what}`);
    }
  });

  it('leave zero norms out of a logarithmic axis', () => {
    const { config, runs } = recordedComparison({ strategies: ['sum'], seeds: [0] });
    const zero = runs.map((run) => ({
      ...run,
      steps: run.steps.map((step) => ({
        ...step,
        groups: step.groups.map((group) => ({ ...group, norms: [0, 0] })),
      })),
    }));
    expect(normChart(summarize(config, zero), strategyStyles(['sum']))).toBeNull();
  });
});
