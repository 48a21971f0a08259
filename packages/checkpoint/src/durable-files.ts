import { createHash } from 'node:crypto';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { MultigradError } from '@multigrad/core/strategy';

/** A file's size and content in few words. */
export interface Fingerprint {
  readonly bytes: number;
  /** Hexadecimal SHA-256. */
  readonly sha256: string;
}

/** SHA-256 in hexadecimal. */
export function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** An `io` error that keeps its cause. */
export function ioError(what: string, cause: unknown): MultigradError {
  return new MultigradError('io', `Cannot ${what}: ${(cause as Error).message}`, { cause });
}

/** Writes a new file and waits until it is on the disk. */
export async function writeDurably(path: string, content: Uint8Array): Promise<Fingerprint> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  return { bytes: content.byteLength, sha256: sha256(content) };
}

/** Waits until a folder's entries are on the disk. */
export async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders, and needs none of this.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Reads a whole plain file; not what a link points to.
 *
 * @param most - bytes beyond which it is not read
 * @throws Error saying what is wrong with the file
 */
export async function readPlainFile(path: string, most: number): Promise<Uint8Array> {
  const before = await lstat(path);
  if (!before.isFile()) throw new Error(`${path} is no plain file`);
  if (before.size > most) throw new Error(`${path} has ${before.size} bytes, more than ${most}`);
  const file = await open(path, 'r');
  try {
    return await readExactly(file, before.size, path);
  } finally {
    await file.close();
  }
}

async function readExactly(file: FileHandle, bytes: number, path: string): Promise<Uint8Array> {
  const content = new Uint8Array(bytes);
  let at = 0;
  while (at < bytes) {
    const { bytesRead } = await file.read(content, at, bytes - at, at);
    if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
    at += bytesRead;
  }
  return content;
}
