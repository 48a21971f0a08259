import { describe, expect, it } from 'vitest';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import { curvesOf, epochsOf, gradientCurvesOf } from './curves.ts';

const [run] = recordedComparison({ strategies: ['sum'], seeds: [0], epochs: 3 }).runs;

describe('curves', () => {
  it('give the scores of every epoch back, to six digits', () => {
    const curves = curvesOf(run!.epochs);
    const back = epochsOf(curves, 3, 141, undefined);
    expect(back.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 47],
      [2, 94],
      [3, 141],
    ]);
    back.forEach((epoch, index) => {
      for (const set of ['train', 'test'] as const) {
        for (const [objective, scores] of Object.entries(run!.epochs[index]![set])) {
          for (const [metric, value] of Object.entries(scores)) {
            expect(epoch[set][objective]![metric]).toBeCloseTo(value, 5);
          }
        }
      }
    });
    expect(curves.validation).toBeUndefined();
  });

  it('keep the norms of gradients by epoch, and the quartiles of their cosines', () => {
    const all = gradientCurvesOf(run!.steps);
    const { objectives, norms, cosines } = all['gray/multimodal+gray']!;
    expect(objectives).toEqual(['multimodal', 'gray']);
    const second = run!.steps.filter(({ epoch }) => epoch === 2);
    const groups = second.map(({ groups: found }) => found[0]!);
    const mean = groups.reduce((sum, group) => sum + group.norms![1]!, 0) / groups.length;
    expect(norms[1]![1]).toBeCloseTo(mean, 3);
    const sorted = groups.map((group) => group.cosines![0]![1]!).sort((a, b) => a - b);
    expect(sorted).toHaveLength(9);
    expect(cosines[1]).toEqual([2, 4, 6].map((index) => Number(sorted[index]!.toPrecision(4))));
  });

  it('are empty where nothing was seen', () => {
    expect(gradientCurvesOf([])).toEqual({});
    expect(curvesOf([])).toEqual({ train: {}, test: {} });
  });
});
