import { join } from 'node:path';
import { type Files, takeLock } from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';

/** The file that is in an output folder while a program writes it. Names of files that help to make it begin with its name. */
export const lockFile = 'lock.json';

/**
 * Claims an output folder for this process, so that no second one writes it. What a program that was killed left behind
 * is taken over.
 *
 * @returns gives the folder back; also done when the process exits
 * @throws MultigradError `io` where another process writes it, or where it cannot be written; `unsupported` where its
 *   file system has no hard links
 */
export async function lockFolder(
  files: Files,
  folder: string,
  since: Date,
): Promise<() => Promise<void>> {
  const path = join(folder, lockFile);
  const attempt = await takeLock(files, path, since);
  if (attempt.holder === null) return attempt.release;
  const { process, host, since: begun } = attempt.holder;
  throw new MultigradError(
    'io',
    `The output folder ${folder} is being written by process ${process} on ${host} ` +
      `since ${begun}. Wait for it, choose another folder with --out, or, where that process is none ` +
      `of multigrad, delete ${path}.`,
  );
}
