import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError, isMissing } from '@multigrad/core/support';
import { runFiles } from '../runs/folder-layout.ts';

/** The files of an output folder that the page is made of. */
function recordFiles(folder: string): string[] {
  const runs = join(folder, 'runs');
  const entries = unlessMissing(() => readdirSync(runs)) ?? [];
  const names = entries.flatMap((name) => runFiles.map((file) => join(runs, name, file)));
  return [join(folder, 'config.json'), ...names];
}

function unlessMissing<T>(read: () => T): T | null {
  try {
    return read();
  } catch (cause) {
    // ENOTDIR: somebody put a file between the runs' folders.
    if (isMissing(cause) || (cause as NodeJS.ErrnoException).code === 'ENOTDIR') return null;
    throw cause;
  }
}

/**
 * A text that changes when a record of the folder does, from the files' sizes and times alone.
 *
 * @throws MultigradError `io` where the folder cannot be read, `unsupported` where a link in it leads out of it
 */
export function fingerprint(folder: string): { readonly text: string; readonly changedAt: number } {
  try {
    const root = unlessMissing(() => realpathSync(folder)) ?? folder;
    const parts: string[] = [];
    let changedAt = 0;
    for (const path of recordFiles(folder)) {
      const stat = unlessMissing(() => statSync(path));
      if (stat === null) continue;
      assertInside(root, folder, path);
      changedAt = Math.max(changedAt, stat.mtimeMs);
      parts.push(`${path} ${stat.ino} ${stat.size} ${stat.mtimeMs}`);
    }
    return { text: parts.join('\n'), changedAt };
  } catch (cause) {
    if (MultigradError.isInstance(cause)) throw cause;
    throw ioError(`read ${folder}`, cause);
  }
}

/** Refuses a link that leads out of the folder: the page shows what is in the folder alone. */
function assertInside(root: string, folder: string, path: string): void {
  const real = unlessMissing(() => realpathSync(path));
  if (real === null || real.startsWith(root + sep)) return;
  throw new MultigradError(
    'unsupported',
    `${relative(folder, path)} is a link out of the folder that is watched. Copy what it points at into the folder.`,
  );
}
