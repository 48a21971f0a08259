import { describe, expect, it } from 'vitest';
import type { News } from './protocol.ts';
import { afterNews, type Course, noCourse, stopped } from './runner.ts';

const after = (...news: readonly News[]): Course => news.reduce(afterNews, noCourse);

describe('the course of a program', () => {
  it('has curves with a gap where a step lacks a name or has no number', () => {
    const { curves, steps } = after(
      { kind: 'plot', values: { near: 1 } },
      { kind: 'plot', values: { near: 2, constructor: 3 } },
      { kind: 'plot', values: { near: Infinity } },
    );
    expect(steps).toBe(3);
    expect(Object.fromEntries(curves)).toEqual({
      near: [1, 2, null],
      constructor: [null, 3, null],
    });
  });

  it('keeps so many lines, and says that more were left out', () => {
    const print: News = { kind: 'print', level: 'log', text: 'again' };
    const { lines } = after(...Array.from({ length: 2000 }, () => print));
    expect(lines).toHaveLength(501);
    expect(lines.at(-1)).toEqual({
      level: 'page',
      text: 'More than 500 lines: the rest is left out.',
    });
  });

  it('ends with the line in which it failed', () => {
    const failed = after({ kind: 'running' }, { kind: 'failed', message: 'no', line: 4 });
    expect(failed.lines).toEqual([{ level: 'error', text: 'Line 4: no' }]);
    expect(failed.fault).toEqual({ message: 'no', line: 4 });
    expect(after({ kind: 'failed', message: 'no', line: null }).fault).toBeNull();
  });

  it('says why it was stopped', () => {
    expect(stopped(noCourse, 'reader').said).toBe('Stopped.');
    expect(stopped(noCourse, 'time').said).toMatch(/60 seconds/);
  });
});
