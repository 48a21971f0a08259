// Folders for what the soak tests write and throw away, and the memory that they take.
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const inMemory = '/dev/shm';

/**
 * A new folder, in memory where the system has a place for it (Linux), else among its temporary files. For tests that
 * make failures and power cuts themselves: a real disk would add nothing to them but the time of waiting for it.
 */
export function newFolder(name) {
  return mkdtempSync(join(existsSync(inMemory) ? inMemory : tmpdir(), `multigrad-${name}-`));
}

/** Watches resident memory, once so many cases have loaded what they need. */
export function watchMemory(warmUp) {
  let [looks, before, most] = [0, 0, 0];
  return {
    /** Before each case. */
    look: () => {
      if (looks === warmUp) before = process.memoryUsage.rss();
      else if (looks > warmUp) most = Math.max(most, process.memoryUsage.rss() - before);
      looks += 1;
    },
    /** In MiB, beyond that after the first cases. */
    most: () => Math.round(most / 2 ** 20),
  };
}
