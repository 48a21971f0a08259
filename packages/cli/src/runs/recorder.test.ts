import type { StepReport } from '@multigrad/core';
import { describe, expect, it } from 'vitest';
import { RunRecorder } from './recorder.ts';

function report(step: number, conflict: boolean | null, observed = false): StepReport {
  const seen = conflict !== null;
  return {
    step,
    losses: { joint: 2 - step, gray: 1 },
    metrics: { joint: { accuracy: step / 4 } },
    groups: [
      {
        key: 'gray/joint+gray',
        objectives: ['joint', 'gray'],
        norms: seen ? [1, 2] : null,
        cosines: seen
          ? [
              [1, -0.5],
              [-0.5, 1],
            ]
          : null,
        weights: [1, 1],
        conflict,
      },
      {
        key: 'gray',
        objectives: ['gray'],
        norms: null,
        cosines: null,
        weights: [1],
        conflict: null,
      },
    ],
    backwardPasses: seen ? 2 : 1,
    observed,
  };
}

describe('RunRecorder', () => {
  it('keeps every n-th step and none for 0', () => {
    const kept = (every: number): number[] => {
      const recorder = new RunRecorder(every);
      recorder.beginEpoch(0);
      return [0, 1, 2, 3, 4].flatMap((step) => recorder.step(report(step, null), 10)?.step ?? []);
    };
    expect(kept(2)).toEqual([0, 2, 4]);
    expect(kept(1)).toEqual([0, 1, 2, 3, 4]);
    expect(kept(0)).toEqual([]);
  });

  it('keeps observed steps out of the step time', () => {
    const recorder = new RunRecorder(2);
    recorder.beginEpoch(0);
    recorder.step(report(0, true, true), 100);
    recorder.step(report(1, null), 10);
    recorder.step(report(2, false, true), 300);
    recorder.step(report(3, null), 30);
    expect(recorder.stepTime()).toEqual({ plain: 20, observed: 200 });
  });

  it('counts conflicts of shared groups where they were looked at, per epoch and in all', () => {
    const recorder = new RunRecorder(1);
    const test = { joint: { loss: 1, accuracy: 0.5 } };
    const seconds = { training: 1, evaluation: 1 };
    recorder.beginEpoch(0);
    recorder.step(report(0, true), 10);
    recorder.step(report(1, null), 10);
    const first = recorder.endEpoch({ test }, seconds);
    recorder.beginEpoch(1);
    recorder.step(report(2, false), 30);
    const second = recorder.endEpoch({ test }, seconds);
    expect(first.conflicts).toEqual({ 'gray/joint+gray': { seen: 1, conflicting: 1 } });
    expect(second.conflicts).toEqual({ 'gray/joint+gray': { seen: 1, conflicting: 0 } });
    expect(recorder.conflicts()).toEqual({ 'gray/joint+gray': { seen: 2, conflicting: 1 } });
    expect(first.train).toEqual({ joint: { loss: 1.5, accuracy: 0.125 }, gray: { loss: 1 } });
    expect(second).toMatchObject({
      epoch: 2,
      step: 3,
      stepTime: { plain: 30, observed: null },
      test,
    });
  });

  it('knows no time of steps that there were none of', () => {
    const recorder = new RunRecorder(1);
    expect(recorder.stepTime()).toEqual({ plain: null, observed: null });
    recorder.step(report(0, true, true), 100);
    expect(recorder.stepTime()).toEqual({ plain: null, observed: 100 });
  });
});
