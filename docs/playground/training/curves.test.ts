import { describe, expect, it } from 'vitest';
import { chartData, latest, noCurves, recentMedian, record, smoothed } from './curves.ts';

const losses = { multimodal: 2, gray: 3, color: 1 };
const news = { kind: 'step', side: 0, losses } as const;

describe('curves', () => {
  it('keep each number at its step', () => {
    const curves = noCurves();
    const cosines = { gray: 0.5, color: -0.25 };
    record(curves, { ...news, step: 0, cosines, milliseconds: null });
    record(curves, { ...news, step: 1, cosines: null, milliseconds: 12 });
    record(curves, {
      kind: 'test',
      side: 0,
      step: 2,
      accuracies: { multimodal: 0.5, gray: 0.75, color: 0.1 },
    });
    expect(curves.losses.gray).toEqual([3, 3]);
    expect(curves.cosines.color).toEqual([-0.25, null]);
    expect(curves.milliseconds).toEqual([null, 12]);
    expect(curves.accuracies.gray).toEqual([null, null, 0.75]);
    expect(latest(curves.cosines.color)).toBe(-0.25);
    expect(latest([])).toBeNull();
    expect(chartData([curves.losses.color, curves.accuracies.color])).toEqual([
      [0, 1, 2],
      [1, 1, null],
      [null, null, 0.1],
    ]);
  });

  it('are smoothed by the mean of the last numbers', () => {
    expect(smoothed([4, 2, null, 6, 1], 2)).toEqual([4, 3, null, 4, 3.5]);
  });

  it('have a recent median', () => {
    expect(recentMedian([100, null, 3, 1, 2], 3)).toBe(2);
    expect(recentMedian([null], 3)).toBeNull();
  });
});
