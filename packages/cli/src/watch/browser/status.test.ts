import { describe, expect, it } from 'vitest';
import { type Followed, statusOf } from './status.ts';

const live: Followed = { connection: 'open', lostAt: null, ended: false, changedAt: 1000 };

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
    expect(statusOf({ ...live, connection: 'connecting', changedAt: null }, 0)).toEqual({
      className: '',
      text: 'Connecting …',
    });
    expect(statusOf({ ...live, changedAt: null }, 0)).toEqual({
      className: 'live',
      text: 'Connected, waiting for the first records',
    });
    expect(statusOf({ ...live, ended: true }, 2000)).toEqual({
      className: '',
      text: 'All runs have ended',
    });
  });

  it('says since when the connection is lost', () => {
    const lost: Followed = { ...live, connection: 'lost', lostAt: 3000 };
    expect(statusOf(lost, 8000)).toEqual({
      className: 'lost',
      text: 'Connection lost 5 s ago, connecting again: this is what was last seen',
    });
    expect(statusOf({ ...lost, changedAt: null }, 183_000).text).toBe(
      'Connection lost 3 min ago, connecting again',
    );
    expect(statusOf({ ...lost, ended: true }, 8000).className).toBe('lost');
  });
});
