import { describe, expect, it } from 'vitest';
import { type Followed, statusOf } from './status.ts';

const live: Followed = { connected: true, ended: false, changedAt: 1000 };

describe('statusOf', () => {
  it.each([
    [0, '0 s'],
    [119, '119 s'],
    [120, '2 min'],
    [7199, '119 min'],
    [7200, '2 h'],
  ])('says that the last record came %i seconds ago as %s', (seconds, text) => {
    expect(statusOf(live, 1000 + 1000 * seconds)).toEqual({
      className: 'live',
      text: `Live: last record ${text} ago`,
    });
  });

  it('says what it waits for, and what has ended', () => {
    expect(statusOf({ ...live, changedAt: null }, 0)).toEqual({
      className: 'live',
      text: 'Connecting …',
    });
    expect(statusOf({ ...live, ended: true }, 2000)).toEqual({
      className: '',
      text: 'All runs have ended',
    });
    expect(statusOf({ ...live, connected: false, ended: true }, 2000).className).toBe('lost');
  });
});
