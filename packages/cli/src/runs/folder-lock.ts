import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { MultigradError, ioError, isMissing } from '@multigrad/core/strategy';

/** Stands in an output folder while a program writes it. */
export const lockFile = 'lock.json';

interface Holder {
  readonly process: number;
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
}

function readHolder(path: string): { readonly text: string; readonly holder: Partial<Holder> } | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw ioError(`read ${path}`, cause);
  }
  try {
    return { text, holder: (JSON.parse(text) as Partial<Holder> | null) ?? {} };
  } catch {
    // It is being written, or its writer was cut off.
    return { text, holder: {} };
  }
}

/** Whether a process of this machine goes on; of another machine nobody knows. */
function isAlive({ process: id, host }: Partial<Holder>): boolean {
  if (host !== hostname()) return host !== undefined;
  if (id === undefined || id === process.pid) return false;
  try {
    process.kill(id, 0);
    return !isZombie(id);
  } catch (error) {
    // It belongs to somebody else: it is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether a process has ended and only waits for its parent to take note; told on Linux alone. */
function isZombie(id: number): boolean {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${id}/stat`, 'utf8');
  } catch {
    // Another system, or gone this moment: the next attempt to claim the folder finds out.
    return false;
  }
  // The state follows the program's name, which stands in brackets and may hold any.
  return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}

/**
 * Claims an output folder for this process, so that no second one writes it. What a program that was killed left behind
 * is taken over.
 *
 * @returns gives the folder back; also done when the process exits
 * @throws MultigradError `io` where another process writes it, or where it cannot be written
 */
export function lockFolder(folder: string, since: Date): () => void {
  const path = join(folder, lockFile);
  const own = JSON.stringify({ process: process.pid, host: hostname(), since: since.toISOString() } satisfies Holder);
  for (;;) {
    try {
      writeFileSync(path, `${own}\n`, { flag: 'wx' });
      break;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw ioError(`write ${path}`, cause);
    }
    const found = readHolder(path);
    if (found === null) continue;
    const { holder, text } = found;
    if (isAlive(holder)) {
      throw new MultigradError(
        'io',
        `The output folder ${folder} is being written by process ${String(holder.process)} on ${String(holder.host)} ` +
          `since ${String(holder.since)}. Wait for it, choose another folder with --out, or, where that process is none ` +
          `of multigrad, delete ${path}.`,
      );
    }
    // Only what was just found stale goes: somebody else may have taken it over meanwhile.
    if (readHolder(path)?.text === text) rmSync(path, { force: true });
  }
  const release = (): void => {
    process.off('exit', release);
    if (readHolder(path)?.text === `${own}\n`) rmSync(path, { force: true });
  };
  process.on('exit', release);
  return release;
}
