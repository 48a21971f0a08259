import { createHash } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { isMissing } from '../base/io-error.ts';
import type { Files, OpenFile } from './files.ts';

/** What identifies a file's content. */
export interface Fingerprint {
  readonly bytes: number;
  /** Hexadecimal SHA-256. */
  readonly sha256: string;
}

/** Bytes that are written, read or hashed at once. Systems take at most 2 GiB; a small piece lets other work run between. */
const piece = 2 ** 22;

/** Whether an error of the system has one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(error.code as string);
}

/** Writes all the bytes at the end of a file, in pieces; `each` sees every piece. */
async function writeAll(
  file: OpenFile,
  bytes: Uint8Array,
  each: (piece: Uint8Array) => void = () => undefined,
): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) {
    const next = bytes.subarray(at, at + piece);
    const written = await file.write(next);
    each(next.subarray(0, written));
    at += written;
  }
}

/** Runs `action`, then closes the file, also where `action` throws. The error of `action` is the one that is thrown. */
async function closing<T>(file: OpenFile, action: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await action();
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
  await file.close();
  return result;
}

/**
 * Writes a new file and waits until its content is on the disk. Its name is on the disk only after {@link syncFolder}.
 *
 * @param parts - the content, one part after another
 * @throws Error of the system, also where there is a file of that name
 */
export async function writeDurably(
  files: Files,
  path: string,
  parts: Iterable<Uint8Array>,
): Promise<Fingerprint> {
  const file = await files.open(path, 'create');
  return closing(file, async () => {
    const hash = createHash('sha256');
    let bytes = 0;
    for (const part of parts) {
      bytes += part.byteLength;
      await writeAll(file, part, (written) => hash.update(written));
    }
    await file.sync();
    return { bytes, sha256: hash.digest('hex') };
  });
}

/**
 * Writes a file whole or not at all: a crash at any moment leaves what was there, or all of the new content, on the disk.
 *
 * @throws Error of the system; the file is then unchanged
 *
 * @example
 * ```ts
 * import { mkdtempSync, readFileSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { nodeFiles, replaceDurably } from '@multigrad/core/files';
 *
 * const file = join(mkdtempSync(join(tmpdir(), 'example-')), 'result.json');
 * await replaceDurably(nodeFiles, file, '{}');
 * console.log(readFileSync(file, 'utf8')); // {}
 * ```
 */
export async function replaceDurably(
  files: Files,
  path: string,
  content: string | Uint8Array,
): Promise<void> {
  const part = `${path}.part`;
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  try {
    await removeIfThere(files, part);
    await writeDurably(files, part, [bytes]);
    await files.rename(part, path);
  } catch (error) {
    await files.remove(part).catch(() => undefined);
    throw error;
  }
  await syncFolder(files, dirname(path));
}

/** Removes a file or link; does nothing where there is none. */
export async function removeIfThere(files: Files, path: string): Promise<void> {
  try {
    await files.remove(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Waits until a folder's entries are on the disk: files that were made, renamed or removed in it. */
export async function syncFolder(files: Files, path: string): Promise<void> {
  // Windows cannot open folders, and writes their entries by itself.
  if (process.platform === 'win32') return;
  const folder = await files.open(path, 'read');
  await closing(folder, () => folder.sync());
}

/** Makes a folder and those above it that are missing, and waits until they are on the disk. */
export async function makeFolders(files: Files, path: string): Promise<void> {
  const folder = resolve(path);
  const above = dirname(folder);
  const found = await files.look(folder).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
    return null;
  });
  if (found !== null) {
    // A link to a folder is as good as a folder; a link to a file fails when something is written below it.
    if (found.kind === 'folder' || found.kind === 'link') return;
    throw Object.assign(new Error('EEXIST: file already exists'), { code: 'EEXIST' });
  }
  await makeFolders(files, above);
  try {
    await files.makeFolder(folder);
  } catch (error) {
    // Another process has made it meanwhile.
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  await syncFolder(files, above);
}

/** Removes a file, a link or a folder with all that it holds; links in it are not followed. */
export async function removeTree(files: Files, path: string): Promise<void> {
  try {
    const { kind } = await files.look(path);
    if (kind !== 'folder') {
      await removeIfThere(files, path);
      return;
    }
    for (const { name } of await files.list(path)) await removeTree(files, join(path, name));
    await files.removeFolder(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** A file was read without an error, and its content or kind is wrong. */
export class NotAsExpected extends Error {}

/** Opens a plain file of at most `most` bytes. */
async function openPlain(files: Files, path: string, most: number): Promise<OpenFile> {
  const { kind, bytes } = await files.look(path);
  if (kind !== 'file') throw new NotAsExpected(`${path} is no plain file`);
  if (bytes > most) throw new NotAsExpected(`${path} has ${bytes} bytes, more than ${most}`);
  return files.open(path, 'read');
}

function allocate(path: string, bytes: number): Uint8Array {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw Object.assign(new Error(`no memory for the ${bytes} bytes of ${path}`, { cause }), {
      code: 'ENOMEM',
    });
  }
}

/** Gives the array into which a piece of a file is read. */
type Space = (at: number, length: number) => Uint8Array;

/** Reads the first `bytes` bytes of a file, piece by piece. */
async function readPieces(
  file: OpenFile,
  path: string,
  bytes: number,
  into: Space,
  each: (piece: Uint8Array) => void,
): Promise<void> {
  for (let at = 0; at < bytes;) {
    const space = into(at, Math.min(piece, bytes - at));
    const read = await file.read(space, at);
    if (read === 0) throw new NotAsExpected(`${path} became shorter while it was read`);
    each(space.subarray(0, read));
    at += read;
  }
}

/**
 * Reads a whole plain file; not what a link points to.
 *
 * @param most - bytes beyond which it is not read
 * @throws NotAsExpected for another kind of file and one that is too large, else the system's error
 */
export async function readPlainFile(files: Files, path: string, most: number): Promise<Uint8Array> {
  const file = await openPlain(files, path, most);
  return closing(file, async () => {
    const bytes = await file.size();
    if (bytes > most) throw new NotAsExpected(`${path} has ${bytes} bytes, more than ${most}`);
    const content = allocate(path, bytes);
    const into: Space = (at, length) => content.subarray(at, at + length);
    await readPieces(file, path, bytes, into, () => undefined);
    return content;
  });
}

/**
 * Reads a plain file that should have a size and a checksum. Memory for its content is taken only once both are as
 * expected.
 *
 * @throws NotAsExpected where it is another file, else the system's error
 */
export async function readChecked(
  files: Files,
  path: string,
  { bytes, sha256 }: Fingerprint,
): Promise<Uint8Array> {
  const file = await openPlain(files, path, bytes);
  return closing(file, async () => {
    const found = await file.size();
    if (found !== bytes)
      throw new NotAsExpected(`${path} has ${found} bytes, ${bytes} were written`);
    const check = async (into: Space): Promise<void> => {
      const hash = createHash('sha256');
      await readPieces(file, path, bytes, into, (read) => hash.update(read));
      if (hash.digest('hex') !== sha256)
        throw new NotAsExpected(`${path} is not what was written: its checksum is another`);
    };
    const small = new Uint8Array(Math.min(piece, bytes));
    const whole = small.byteLength === bytes;
    await check((at, length) => small.subarray(whole ? at : 0, (whole ? at : 0) + length));
    if (whole) return small;
    const content = allocate(path, bytes);
    await check((at, length) => content.subarray(at, at + length));
    return content;
  });
}
