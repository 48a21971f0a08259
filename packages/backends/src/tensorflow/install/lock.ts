import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { MultigradError } from '@multigrad/core/strategy';
import { withFiles } from './files.ts';

/**
 * Runs `action` while no other process of this machine does so on the same folder; a lock whose process is gone is
 * taken over.
 *
 * @throws MultigradError `unsupported` while another one holds the lock
 */
export async function withLock<T>(lock: string, action: () => Promise<T>): Promise<T> {
  await takeLock(lock);
  try {
    return await action();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function takeLock(lock: string): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    // A folder with the holder's number in it, put in place in one go: there is no moment without the number.
    const own = await withFiles('write to', lock, async () => {
      const folder = await mkdtemp(`${lock}.`);
      await writeFile(join(folder, 'process'), String(process.pid));
      return folder;
    });
    try {
      await rename(own, lock);
      return;
    } catch {
      await rm(own, { recursive: true, force: true });
    }
    const holder = Number(await readFile(join(lock, 'process'), 'utf8').catch(() => 'NaN'));
    if (isRunning(holder)) {
      throw new MultigradError(
        'unsupported',
        `Another installation (process ${holder}) is at work in ${lock.replace(/\.lock$/, '')}. Wait for its end.`,
      );
    }
    // Out of the way in one go as well: of two that find a dead holder only one succeeds.
    const stale = await mkdtemp(`${lock}.`);
    await rename(lock, join(stale, 'lock')).catch(() => undefined);
    await rm(stale, { recursive: true, force: true });
  }
  throw new MultigradError('unsupported', `Another installation has just begun beside ${lock}.`);
}

function isRunning(id: number): boolean {
  if (!Number.isInteger(id) || id <= 0) return false;
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
