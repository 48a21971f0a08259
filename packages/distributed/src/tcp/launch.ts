import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { MultigradError } from '@multigrad/core/strategy';
import { openMeeting } from './meeting.ts';
import { addressText, placeVariables } from './place.ts';
import { grace as usualGrace, type RankProcess, startHere, startThere } from './rank-process.ts';

/** What {@link launch} starts. */
export interface LaunchOptions {
  /** Number of ranks, an integer >= 1. */
  readonly ranks: number;
  /** The program, and what it is given. */
  readonly command: readonly string[];
  /** Its folder. @defaultValue this process's */
  readonly folder?: string;
  /** Hosts on which `ssh` starts the ranks, in turn. @defaultValue all ranks on this host */
  readonly hosts?: readonly string[];
  /** This host's name or address as the others reach it. @defaultValue 127.0.0.1; required with `hosts` */
  readonly address?: string;
  /** Seconds in which all ranks should start. @defaultValue 300 */
  readonly start?: number;
  /** Seconds that the other ranks get to end by themselves once one has failed. @defaultValue 5 */
  readonly grace?: number;
  /** Ends the ranks as Ctrl-C does when it is aborted. Where this process exits before they have ended, they are killed. */
  readonly signal?: AbortSignal;
  /** Seconds that ranks get to finish their step and write a checkpoint after `signal`. @defaultValue 300 */
  readonly stop?: number;
  /** Takes what ranks print, a line at a time. */
  readonly print: (line: string, stream: 'output' | 'errors') => void;
}

/**
 * Starts the ranks of a job, waits for them, and returns the job's exit code: 0 where every rank ended with 0, else that of
 * the first one that failed, 128 and its number for a signal.
 *
 * Once a rank fails, the others get some seconds to end by themselves, then SIGTERM, then SIGKILL. What rank 0 prints is
 * passed on as it is, what others print with their number in front.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts no-run
 * import { launch } from '@multigrad/distributed/node';
 *
 * process.exitCode = await launch({
 *   ranks: 4,
 *   command: ['node', 'train.js'],
 *   print: (line) => console.log(line),
 * });
 * ```
 */
export async function launch(options: LaunchOptions): Promise<number> {
  const { ranks, command, hosts = [], address, start = 300, stop = 300 } = options;
  const { grace = usualGrace, signal, print } = options;
  if (!Number.isInteger(ranks) || ranks < 1) {
    throw new MultigradError(
      'invalid-option',
      `Option \`ranks\` should be an integer >= 1. Found ${ranks}.`,
    );
  }
  if (command.length === 0) {
    throw new MultigradError(
      'invalid-option',
      'Option `command` should name a program. Found none.',
    );
  }
  if (hosts.length > 0 && address === undefined) {
    throw new MultigradError(
      'invalid-option',
      'Option `address` should say how the hosts reach this one. Found none.',
    );
  }
  let failed: number | null = null;
  /** Ranks that ended while others needed them; the first one is the cause. */
  const lost: number[] = [];
  const token = randomBytes(24).toString('base64url');
  const host = address ?? '127.0.0.1';
  const meeting = await openMeeting({
    size: ranks,
    token,
    address: { host, port: 0 },
    deadline: start,
    onLost: (rank) => {
      lost.push(rank);
    },
  });
  const processes: RankProcess[] = [];
  const timers: NodeJS.Timeout[] = [];
  const all = (name: NodeJS.Signals): void => {
    for (const one of processes) one.tell(name);
  };
  const later = (seconds: number, work: () => void): void => {
    timers.push(setTimeout(work, seconds * 1000));
  };
  const endAll = (): void => {
    all('SIGTERM');
    later(grace, () => all('SIGKILL'));
  };
  const interrupt = (): void => {
    all('SIGINT');
    later(stop, endAll);
  };
  // Whoever ends the launcher at once, as with a second Ctrl-C, wants no rank to go on.
  const killAll = (): void => all('SIGKILL');
  process.once('exit', killAll);
  signal?.addEventListener('abort', interrupt);
  try {
    const codes = await Promise.all(
      Array.from({ length: ranks }, async (_, rank) => {
        const variables = {
          [placeVariables.rank]: String(rank),
          [placeVariables.size]: String(ranks),
          [placeVariables.meeting]: addressText(meeting.address),
          [placeVariables.token]: token,
        };
        const started =
          hosts.length === 0
            ? startHere(command, variables, options.folder)
            : startThere(hosts[rank % hosts.length]!, command, variables, options.folder);
        processes.push(started);
        pass(started.child, rank, print);
        const code = await codeOf(started.child, command[0]!, print);
        if (code !== 0) {
          failed ??= code;
          later(grace, endAll);
        }
        return code;
      }),
    );
    if (codes.every((code) => code === 0)) return 0;
    const [culprit] = lost;
    const first = culprit === undefined ? 0 : codes[culprit]!;
    return first === 0 ? failed! : first;
  } finally {
    process.off('exit', killAll);
    signal?.removeEventListener('abort', interrupt);
    for (const timer of timers) clearTimeout(timer);
    meeting.close();
  }
}

function pass(child: ChildProcess, rank: number, print: LaunchOptions['print']): void {
  const front = rank === 0 ? '' : `[${rank}] `;
  for (const [stream, name] of [
    [child.stdout!, 'output'],
    [child.stderr!, 'errors'],
  ] as const) {
    createInterface({ input: stream }).on('line', (line) => print(`${front}${line}`, name));
  }
}

async function codeOf(
  child: ChildProcess,
  program: string,
  print: LaunchOptions['print'],
): Promise<number> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      print(`${program} cannot be started: ${error.message}`, 'errors');
      resolve(127);
    });
    child.on('close', (code, name) => {
      resolve(code ?? 128 + (name === null ? 0 : constants.signals[name]));
    });
  });
}
