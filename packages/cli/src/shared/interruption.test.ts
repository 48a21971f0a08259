import { describe, expect, it } from 'vitest';
import { Interruption } from './interruption.ts';

/** Reasons at times in ms. @returns why the command ends, and at which of the times it leaves at once */
function after(...reasons: readonly (readonly [at: number, why: string])[]): {
  readonly reason: unknown;
  readonly left: readonly number[];
} {
  let time = 0;
  const left: number[] = [];
  const interruption = new Interruption(
    () => time,
    () => left.push(time),
  );
  for (const [at, why] of reasons) {
    time = at;
    if (why === 'Ctrl-C') interruption.ctrlC();
    else interruption.end(why);
  }
  return { reason: interruption.signal.reason, left };
}

describe('what interrupts a command', () => {
  it('ends it in order at the first reason', () => {
    expect(after()).toEqual({ reason: undefined, left: [] });
    expect(after([5, 'SIGTERM'])).toEqual({ reason: 'SIGTERM', left: [] });
    expect(after([5, 'SIGTERM'], [9, 'Ctrl-C'])).toEqual({ reason: 'SIGTERM', left: [] });
  });

  it('takes a Ctrl-C within a second for the same one, passed on', () => {
    expect(after([5, 'Ctrl-C'], [5, 'Ctrl-C'], [1004, 'Ctrl-C']).left).toEqual([]);
  });

  it('leaves at once at a Ctrl-C a second later, and later', () => {
    const left = [1005, 1006];
    expect(after([5, 'Ctrl-C'], [900, 'Ctrl-C'], [1005, 'Ctrl-C'], [1006, 'Ctrl-C']).left).toEqual(
      left,
    );
    expect(after([5, 'SIGTERM'], [1005, 'Ctrl-C'], [1006, 'Ctrl-C']).left).toEqual(left);
  });

  it('does not leave at another signal, after which SIGKILL follows', () => {
    const signals = after([5, 'Ctrl-C'], [7505, 'SIGTERM'], [9000, 'SIGTERM'], [9600, 'SIGHUP']);
    expect(signals).toEqual({ reason: 'Ctrl-C', left: [] });
  });
});
