import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentMinutes, watchSilence } from './workers.ts';

describe('watchSilence', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('reports a silence as often as it has lasted, from the last line on, until the end', () => {
    const minutes: number[] = [];
    const { heard, end } = watchSilence((silent) => minutes.push(silent));
    const pass = (share: number): unknown => vi.advanceTimersByTime(60_000 * silentMinutes * share);
    pass(0.9);
    heard();
    pass(0.9);
    expect(minutes).toEqual([]);
    pass(0.2);
    pass(1);
    expect(minutes).toEqual([silentMinutes, 2 * silentMinutes]);
    heard();
    pass(1);
    expect(minutes.at(-1)).toBe(silentMinutes);
    end();
    pass(5);
    expect(minutes).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
  });
});
