import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, statfs } from 'node:fs/promises';
import { MultigradError } from '@multigrad/core/strategy';

/** What an error code of the file system means. */
const reasons: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the quota of the disk is used up'],
  ['EROFS', 'the file system is read-only'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['ENOENT', 'no such file or folder'],
  ['ENOTDIR', 'a part of the path is not a folder'],
]);

/** Runs `action` and turns an error of the file system into one that says what failed, where and why. */
export async function withFiles<T>(
  what: string,
  path: string,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = reasons.get(code ?? '');
    if (reason === undefined) throw error;
    throw new MultigradError('io', `Cannot ${what} ${path}: ${reason} (${code}).`, {
      cause: error,
    });
  }
}

/** Makes a folder and those above it. */
export async function makeFolder(path: string): Promise<void> {
  await withFiles('make the folder', path, () => mkdir(path, { recursive: true }));
}

/** The number of bytes that the user may still write below a folder. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** The hash of a file. */
export async function hashFile(
  path: string,
  algorithm: 'sha256' | 'sha512',
  encoding: 'hex' | 'base64',
): Promise<string> {
  const hash = createHash(algorithm);
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest(encoding);
}
