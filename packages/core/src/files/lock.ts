import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { MultigradError } from '../base/errors.ts';
import { ioError, isMissing } from '../base/io-error.ts';
import { hasCode, NotAsExpected, readPlainFile, removeIfThere, writeDurably } from './durable.ts';
import type { Files } from './files.ts';
import { hasEnded, type ProcessIdentity, thisProcess } from './process-identity.ts';

/** Who holds a lock. */
export interface LockHolder {
  readonly process: number;
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
}

/** A lock that this process holds, or who else does. */
export type LockAttempt =
  | {
      readonly holder: null;
      /** Gives the lock back, unless somebody else has taken it by force; also done when the process exits. */
      readonly release: () => Promise<void>;
    }
  | { readonly holder: LockHolder };

/** A lock as its file has it. */
interface Lock {
  /** A random text that no other lock has. */
  readonly token: string;
  /** Null where the file does not say who holds it: an earlier version, or another program, wrote it. */
  readonly holder: (ProcessIdentity & LockHolder) | null;
}

/** The largest lock file that is read. */
const mostBytes = 2 ** 16;

const successorOf = (path: string, token: string): string => `${path}.${token}.next`;
const draftOf = (path: string, token: string): string => `${path}.${token}.new`;

/**
 * Takes a lock: of any number of processes that try, one gets it. A lock is taken over once the process that held it has
 * provably ended.
 *
 * The file is never empty: it is written under another name, then linked to its own, which succeeds for one process
 * alone. A lock whose holder has ended is not removed, since two could find it so, and the slower one remove what the
 * faster has made: it is succeeded, by a file that bears its token in its name, and that too can be linked by one process
 * alone. Who holds the last of such a chain holds the lock, and puts its own file in the first one's place.
 *
 * @param path - the lock's file; others are beside it for a moment, whose names begin with its own
 * @param since - the time, for whoever finds it taken
 * @throws MultigradError `unsupported` where the file system makes no hard links, `io` where something that is no lock has
 *   the file's name, or where it cannot be written
 *
 * @example
 * ```ts
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { nodeFiles, takeLock } from '@multigrad/core/files';
 *
 * const file = join(mkdtempSync(join(tmpdir(), 'example-')), 'lock.json');
 * const first = await takeLock(nodeFiles, file, new Date());
 * const second = await takeLock(nodeFiles, file, new Date());
 * console.log(second.holder?.process === process.pid); // true
 * if (first.holder === null) await first.release();
 * ```
 */
export async function takeLock(files: Files, path: string, since: Date): Promise<LockAttempt> {
  const token = randomUUID();
  const draft = draftOf(path, token);
  const own = { token, ...thisProcess(), since: since.toISOString() };
  try {
    await writeDurably(files, draft, [new TextEncoder().encode(`${JSON.stringify(own)}\n`)]);
    const holder = await claim(files, path, token);
    if (holder !== null) return { holder };
    await clearLeftovers(files, path);
    return { holder: null, release: releaseOf(files, path, token) };
  } catch (cause) {
    // This attempt failed: its lock must not stay.
    await removeOwn(files, path, token).catch(() => undefined);
    if (MultigradError.isInstance(cause)) throw cause;
    throw ioError(`write ${path}`, cause);
  } finally {
    await files.remove(draft).catch(() => undefined);
  }
}

/** @returns who holds the lock, or null where this process does now */
async function claim(files: Files, path: string, token: string): Promise<LockHolder | null> {
  const draft = draftOf(path, token);
  // It ends: each turn follows what another process did meanwhile, and that one has the lock then, or had it.
  for (;;) {
    if (await linked(files, draft, path)) return null;
    const chain = await readChain(files, path);
    const last = chain.at(-1);
    if (last === undefined) continue;
    const { holder } = last;
    if (holder !== null && !hasEnded(holder)) return holder;
    const successor = successorOf(path, last.token);
    if (!(await linked(files, draft, successor))) continue;
    try {
      // The chain may have changed since it was read: then the link is to an old lock, and claims nothing.
      const now = await readChain(files, path);
      if (now.at(-1)?.token === token) {
        await files.rename(draft, path);
        for (const { token: past } of chain) await removeIfThere(files, successorOf(path, past));
        return null;
      }
    } catch (error) {
      await files.remove(successor).catch(() => undefined);
      throw error;
    }
    await removeIfThere(files, successor);
  }
}

/** Links a file to a name; false where that is taken. */
async function linked(files: Files, draft: string, name: string): Promise<boolean> {
  try {
    await files.link(draft, name);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error;
    throw new MultigradError(
      'unsupported',
      `The folder ${dirname(name)} should be on a file system that makes hard links: only so can one of several ` +
        'processes claim it. Found one that makes none: choose a folder on another disk.',
      { cause: error },
    );
  }
}

/** The lock at a path, and those that succeeded it; none where there is no lock. */
async function readChain(files: Files, path: string): Promise<Lock[]> {
  const chain: Lock[] = [];
  for (let next = path; ;) {
    const lock = await readLock(files, next, path);
    if (lock === null) return chain;
    if (chain.some(({ token }) => token === lock.token)) {
      throw new MultigradError(
        'io',
        `${path} should be a lock of multigrad, or not be there. Found one that succeeds itself, ${next}. Delete both.`,
      );
    }
    chain.push(lock);
    next = successorOf(path, lock.token);
  }
}

async function readLock(files: Files, path: string, shown: string): Promise<Lock | null> {
  let bytes: Uint8Array;
  try {
    bytes = await readPlainFile(files, path, mostBytes);
  } catch (cause) {
    if (isMissing(cause)) return null;
    if (!(cause instanceof NotAsExpected)) throw cause;
    throw new MultigradError(
      'io',
      `${shown} should be a lock of multigrad, or not be there. Found something else: ${cause.message}. ` +
        'Where nobody needs it, delete it.',
      { cause },
    );
  }
  return parseLock(bytes);
}

function parseLock(bytes: Uint8Array): Lock {
  // Two that are the same to the byte are one lock: what this version writes never is.
  const unknown = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return { token: unknown, holder: null };
  }
  if (typeof value !== 'object' || value === null) return { token: unknown, holder: null };
  const given = new Map(Object.entries(value));
  const text = (key: string): string | null => {
    const found: unknown = given.get(key);
    return typeof found === 'string' ? found : null;
  };
  const [token, host, id] = [text('token'), text('host'), given.get('process') as unknown];
  const sound = token !== null && /^[\w-]{1,64}$/.test(token);
  return {
    token: sound ? token : unknown,
    holder:
      host === null || !Number.isSafeInteger(id) || (id as number) <= 0
        ? null
        : {
            ...{ process: id as number, host, machine: text('machine'), boot: text('boot') },
            ...{ space: text('space'), started: text('started') },
            ...{ instance: text('instance') ?? '', since: text('since') ?? 'an unknown time' },
          },
  };
}

/** Removes the files of processes that ended during an attempt. */
async function clearLeftovers(files: Files, path: string): Promise<void> {
  const [folder, name] = [dirname(path), basename(path)];
  for (const entry of await files.list(folder)) {
    if (!entry.name.startsWith(`${name}.`) || !/\.(new|next)$/.test(entry.name)) continue;
    const leftover = join(folder, entry.name);
    const lock = entry.kind === 'file' ? await readLock(files, leftover, leftover) : null;
    // A draft that is not whole does not name its writer. It may still be being written, so it stays.
    if (lock?.holder && hasEnded(lock.holder)) await removeIfThere(files, leftover);
  }
}

async function removeOwn(files: Files, path: string, token: string): Promise<void> {
  const lock = await readLock(files, path, path);
  if (lock?.token === token) await removeIfThere(files, path);
}

function releaseOf(files: Files, path: string, token: string): () => Promise<void> {
  const atExit = (): void => {
    try {
      if (parseLock(readFileSync(path)).token === token) unlinkSync(path);
    } catch {
      // The process ends, so no error can be reported. The next process takes the lock over.
    }
  };
  process.on('exit', atExit);
  return async () => {
    process.off('exit', atExit);
    try {
      await removeOwn(files, path, token);
    } catch (cause) {
      if (MultigradError.isInstance(cause)) throw cause;
      throw ioError(`remove ${path}`, cause);
    }
  };
}
