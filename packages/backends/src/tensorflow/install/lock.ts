import { nodeFiles, takeLock } from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';

/**
 * Runs `action` while this process holds a lock, so that no other process works in the same folder. A lock whose process has
 * ended is taken over.
 *
 * @throws MultigradError `unsupported` while another process holds the lock, or where the file system has no hard links
 */
export async function withLock<T>(lock: string, since: Date, action: () => Promise<T>): Promise<T> {
  const attempt = await takeLock(nodeFiles, lock, since);
  if (attempt.holder !== null) {
    const { process, host, since: begun } = attempt.holder;
    throw new MultigradError(
      'unsupported',
      `Another installation (process ${process} on ${host}, since ${begun}) is at work in ${lock.replace(/\.lock$/, '')}. ` +
        `Wait for its end, or, where that process is none of multigrad, delete ${lock}.`,
    );
  }
  try {
    return await action();
  } finally {
    await attempt.release();
  }
}
