import { describe, expect, it } from 'vitest';
import { gradientCourses, thirds, twoDigits } from './gradient-course.ts';
import type { StudyRecord } from './study-record.ts';

/** The part of a record that courses are made of. */
function record(norms: number[][], traces: number[][], conflicting: number): StudyRecord {
  const objectives = ['joint', 'own'];
  const cosines = norms[0]!.map((_, epoch) => [-0.1, 0.1 * epoch, 0.5]);
  return {
    gradients: { 'a/joint+own': { objectives, norms, cosines } },
    conflicts: { 'a/joint+own': { seen: 10, conflicting } },
    spread: { a: { objectives, norms, traces, cosines } },
  } as unknown as StudyRecord;
}

describe('gradientCourses', () => {
  const records = [
    record([[1, 2, 3], [2, 2, 2]], [[1, 4, 9], [2, 2, 2]], 1),
    record([[3, 2, 1], [2, 2, 2]], [[3, 4, 1], [2, 2, 2]], 3),
  ]; // prettier-ignore

  it('has the joint gradient beside the others, the mean over seeds', () => {
    const [course] = gradientCourses(records, 'joint');
    expect(course).toMatchObject({ title: 'a', lengths: [1, 1, 1], traces: [1, 2, 2.5] });
    expect(course!.conflicts).toBeCloseTo(0.2, 12);
    expect(course!.cosines[2]).toEqual([-0.1, 0.2, 0.5]);
  });

  it('has the shortest of the longest where no objective is the joint one', () => {
    const [course] = gradientCourses(records, null);
    expect(course!.lengths[0]).toBeCloseTo((1 / 2 + 2 / 3) / 2, 12);
    expect(gradientCourses([], null)).toEqual([]);
  });
});

describe('thirds', () => {
  it('are means of what was seen', () => {
    expect(thirds([1, 3, null, 5, null, null])).toEqual([2, 5, null]);
    expect([-0.001, -0.5, 2].map(twoDigits)).toEqual(['0.00', '−0.50', '2.00']);
  });
});
