import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import process from 'node:process';

/** Identifies a process. Its number is not enough: the system gives it to another process later. */
export interface ProcessIdentity {
  readonly process: number;
  readonly host: string;
  /** Tells machines of one name apart; null where the system has no such number. */
  readonly machine: string | null;
  /** The boot of the machine, and the space of process numbers (a container has its own); null where not told. */
  readonly boot: string | null;
  readonly space: string | null;
  /** When the process was started, in the system's own words; null where it does not tell. */
  readonly started: string | null;
  /** Drawn by the process itself. */
  readonly instance: string;
}

/** What a file or a program of the system says, or null where there is none. */
function told(read: () => string): string | null {
  try {
    return read().trim() || null;
  } catch {
    return null;
  }
}

/** State and start of a process from Linux' `/proc/<id>/stat`. */
function linuxFacts(id: number): { readonly state: string; readonly started: string } | null {
  const stat = told(() => readFileSync(`/proc/${id}/stat`, 'utf8'));
  if (stat === null) return null;
  // The fields from the third on follow the program's name, which stands in brackets and may hold any.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0]!, started: fields[19]! };
}

/** When a process was started: clock ticks after the boot on Linux, date and second on other Unixes. */
export function startOf(id: number, platform: string = process.platform): string | null {
  if (platform === 'linux') return linuxFacts(id)?.started ?? null;
  if (platform === 'win32') return null;
  return told(() =>
    execFileSync('ps', ['-o', 'lstart=', '-p', String(id)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
    }),
  );
}

const instance = randomUUID();
let own: ProcessIdentity | undefined;

/** This process. */
export function thisProcess(): ProcessIdentity {
  own ??= {
    process: process.pid,
    host: hostname(),
    machine: told(() => readFileSync('/etc/machine-id', 'utf8')),
    boot: told(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    space: told(() => readlinkSync('/proc/self/ns/pid')),
    started: startOf(process.pid),
    instance,
  };
  return own;
}

/**
 * Whether a process has provably ended: the machine was started again since, no process has its number, or one that was
 * started at another time has. A process on another machine or in another container counts as running.
 */
export function hasEnded(other: ProcessIdentity): boolean {
  const here = thisProcess();
  const differ = (a: string | null, b: string | null): boolean =>
    a !== null && b !== null && a !== b;
  if (other.host !== here.host || differ(other.machine, here.machine)) return false;
  if (differ(other.boot, here.boot)) return true;
  if (differ(other.space, here.space)) return false;
  if (other.instance === here.instance) return false;
  try {
    process.kill(other.process, 0);
  } catch (error) {
    // EPERM: it runs, as another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  if (process.platform === 'linux') {
    const facts = linuxFacts(other.process);
    // It has ended, and its parent has not yet read its exit code.
    if (facts !== null && 'ZX'.includes(facts.state)) return true;
  }
  if (differ(other.started, startOf(other.process))) return true;
  // The system does not tell when it was started: this process has its number, so it is another one.
  return other.process === here.process && other.started === null;
}
