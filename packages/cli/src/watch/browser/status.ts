/** What the page knows of the runs that it follows. */
export interface Followed {
  /** Whether the server answers. */
  readonly connected: boolean;
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
export function statusOf({ connected, ended, changedAt }: Followed, now: number): Status {
  if (!connected) return { className: 'lost', text: 'Not connected: this is what was last seen' };
  const className = ended ? '' : 'live';
  if (changedAt === null) return { className, text: 'Connecting …' };
  if (ended) return { className, text: 'All runs have ended' };
  return { className, text: `Live: last record ${ageText((now - changedAt) / 1000)} ago` };
}

/** `90 s`, `5 min`, `3 h`. */
function ageText(age: number): string {
  const seconds = Math.round(age);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}
