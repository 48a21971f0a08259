/** What the page knows of the runs that it follows. */
export interface Followed {
  /** Whether the server answers; `connecting` until it did for the first time. */
  readonly connection: 'connecting' | 'open' | 'lost';
  /** When the connection was lost, on this browser's clock in milliseconds; null where it was not. */
  readonly lostAt: number | null;
  /** Whether every run has ended. */
  readonly ended: boolean;
  /** When the records last changed, on this browser's clock in milliseconds; null before the first update. */
  readonly changedAt: number | null;
}

/** The status line: its text, and the class that gives its dot a colour. */
export interface Status {
  readonly text: string;
  readonly className: '' | 'live' | 'lost';
}

/** The status line at a moment of this browser's clock, in milliseconds. */
export function statusOf(followed: Followed, now: number): Status {
  const { connection, lostAt, ended, changedAt } = followed;
  const ago = (then: number): string => `${ageText((now - then) / 1000)} ago`;
  if (connection === 'lost') {
    const seen = changedAt === null ? '' : ': this is what was last seen';
    return {
      className: 'lost',
      text: `Connection lost ${ago(lostAt ?? now)}, connecting again${seen}`,
    };
  }
  const className = ended ? '' : 'live';
  if (connection === 'connecting') return { className: '', text: 'Connecting …' };
  if (changedAt === null) return { className, text: 'Connected, waiting for the first records' };
  if (ended) return { className, text: 'All runs have ended' };
  return { className, text: `Live: last record ${ago(changedAt)}` };
}

/** `90 s`, `5 min`, `3 h`. */
function ageText(age: number): string {
  const seconds = Math.round(age);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}
