import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import {
  type Files,
  type Fingerprint,
  makeFolders,
  NotAsExpected,
  readChecked,
  readPlainFile,
  removeTree,
  syncFolder,
  writeDurably,
} from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError, isMissing } from '@multigrad/core/support';
import {
  type Manifest,
  openManifest,
  sealManifest,
  type TensorFile,
  tensorFiles,
} from './manifest.ts';
import { safetensorsParts } from './safetensors/encode.ts';
import { decodeSafetensors, type RawTensor } from './safetensors/index.ts';

const manifestFile = 'checkpoint.json';
const folderName = /^step-(\d{8,15})-(\d{4,9})$/;
/** Names of folders that are being written or removed. Those being written end with a word that no other writer has. */
const unfinished = /^\.(part|gone)-step-\d{8,15}-\d{4,9}(-[\da-f-]{36})?$/;
/** The largest files that are written and read: 256 MiB of JSON, and 4 GiB of tensors, which fit into one array. */
const mostBytes = { manifest: 2 ** 28, tensors: 2 ** 32 - 2 ** 16 } as const;

/** Identifies a checkpoint of a folder. */
export interface CheckpointName {
  readonly step: number;
  readonly serial: number;
}

/** A whole checkpoint in memory. */
export interface CheckpointContent {
  readonly manifest: Manifest;
  /** As in a trainer's snapshot: `weights/…`, `statistics/…` and so on. */
  readonly tensors: ReadonlyMap<string, RawTensor>;
}

/** The name of a checkpoint's folder. */
export function folderOf({ step, serial }: CheckpointName): string {
  return `step-${String(step).padStart(8, '0')}-${String(serial).padStart(4, '0')}`;
}

/** The checkpoints of a folder by name, newest first; none where there is no folder. */
export async function listCheckpoints(files: Files, folder: string): Promise<CheckpointName[]> {
  const entries = await files.list(folder).catch((cause: unknown) => {
    if (isMissing(cause)) return [];
    throw ioError(`read the folder of checkpoints ${folder}`, cause);
  });
  return entries
    .filter(({ kind }) => kind === 'folder')
    .flatMap(({ name }) => {
      const [, step, serial] = folderName.exec(name) ?? [];
      return step === undefined ? [] : [{ step: Number(step), serial: Number(serial) }];
    })
    .sort(newestFirst);
}

/** Orders checkpoints by step, then by serial number, the newest first: for `sort`. */
export function newestFirst(a: CheckpointName, b: CheckpointName): number {
  return b.step - a.step || b.serial - a.serial;
}

/**
 * Removes what an interrupted write or removal left behind. Another process may still be writing it: only one of the
 * two renamings succeeds, so that no part of it is missing once it has a checkpoint's name.
 */
async function clearUnfinished(files: Files, folder: string): Promise<void> {
  for (const { name } of await files.list(folder)) {
    if (!unfinished.test(name)) continue;
    const gone = join(folder, name.replace('.part-', '.gone-'));
    try {
      if (name.startsWith('.part-')) await files.rename(join(folder, name), gone);
    } catch (cause) {
      if (isMissing(cause)) continue;
      throw cause;
    }
    await removeTree(files, gone);
  }
}

/**
 * Writes a checkpoint: all files into a folder under another name, each on the disk before that is renamed. A crash at
 * any moment leaves the earlier ones as they were, and this one whole or unseen.
 *
 * Two processes that write at the same time never write into one folder, since each has a name of its own for it, and only
 * one of them can rename to the same name. One may remove what the other has not finished: that one ends with `io`.
 *
 * @throws MultigradError `unsupported` for more than 4 GiB in one file, before anything is written; `io`, and then the
 *   checkpoint is whole or unseen: unless the last of all operations failed, what was written of it is removed
 */
export async function writeCheckpoint(
  files: Files,
  folder: string,
  head: Omit<Manifest, 'format' | 'files'>,
  tensors: ReadonlyMap<string, RawTensor>,
): Promise<void> {
  const name = folderOf(head);
  const part = join(folder, `.part-${name}-${randomUUID()}`);
  const contents = tensorFiles.map((file) => {
    const own = Array.from(tensors).filter(([tensor]) => fileOf(tensor) === file);
    return [file, checkedParts(file, own)] as const;
  });
  try {
    await makeFolders(files, folder);
    await clearUnfinished(files, folder);
    await files.makeFolder(part);
    const written: Partial<Record<TensorFile, Fingerprint>> = {};
    for (const [file, parts] of contents) {
      written[file] = await writeDurably(files, join(part, file), parts);
    }
    const manifest = { format: 1, ...head, files: written as Manifest['files'] } as const;
    const text = new TextEncoder().encode(sealManifest(manifest));
    await writeDurably(files, join(part, manifestFile), [text]);
    await syncFolder(files, part);
    await files.rename(part, join(folder, name));
    await syncFolder(files, folder);
  } catch (cause) {
    await removeTree(files, part).catch(() => undefined);
    if (MultigradError.isInstance(cause)) throw cause;
    const shared = ['ENOENT', 'EEXIST', 'ENOTEMPTY'].includes(codeOf(cause))
      ? ' (each run needs a folder of its own; here another process seems to write too)'
      : '';
    throw ioError(`write the checkpoint of step ${head.step} to ${folder}${shared}`, cause);
  }
}

/** A file of tensors in parts, which share the tensors' bytes. */
function checkedParts(
  file: TensorFile,
  tensors: readonly (readonly [string, RawTensor])[],
): Uint8Array[] {
  const parts = safetensorsParts(tensors);
  const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (bytes <= mostBytes.tensors) return parts;
  throw new MultigradError(
    'unsupported',
    `A checkpoint's ${file} should have at most ${mostBytes.tensors} bytes. Found ${bytes}.`,
  );
}

/** The file of a tensor: weights and statistics, which other programs can use, have one of their own. */
function fileOf(tensor: string): TensorFile {
  return /^(weights|statistics)\//.test(tensor) ? 'weights.safetensors' : 'training.safetensors';
}

/** Removes a checkpoint; a crash half-way leaves none that looks whole. */
export async function removeCheckpoint(
  files: Files,
  folder: string,
  name: CheckpointName,
): Promise<void> {
  const gone = join(folder, `.gone-${folderOf(name)}`);
  try {
    try {
      await files.rename(join(folder, folderOf(name)), gone);
    } catch (cause) {
      // Another process has removed it.
      if (isMissing(cause)) return;
      throw cause;
    }
    // After a power cut no part of the checkpoint may be there under its name.
    await syncFolder(files, folder);
    await removeTree(files, gone);
  } catch (cause) {
    throw ioError(`remove the checkpoint ${folderOf(name)} from ${folder}`, cause);
  }
}

/**
 * Puts a folder of checkpoints aside, under its own name with `-aside-1`, or the next number that is free.
 *
 * @returns the folder's new name; null where there is no such folder
 */
export async function setAside(files: Files, folder: string): Promise<string | null> {
  try {
    for (let number = 1; ; number += 1) {
      const aside = `${folder}-aside-${number}`;
      if (await isThere(files, aside)) continue;
      if (!(await isThere(files, folder))) return null;
      await files.rename(folder, aside);
      await syncFolder(files, dirname(folder));
      return aside;
    }
  } catch (cause) {
    throw ioError(`put ${folder} aside`, cause);
  }
}

async function isThere(files: Files, path: string): Promise<boolean> {
  try {
    await files.look(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/**
 * Reads a checkpoint's manifest.
 *
 * @throws MultigradError `invalid-data` where it is damaged, `unsupported` for another version, `io` where it cannot be
 *   read: that does not show whether it is damaged
 */
export async function readManifest(
  files: Files,
  folder: string,
  name: CheckpointName,
): Promise<Manifest> {
  return undamaged(files, folder, name, async (path) => {
    const bytes = await readPlainFile(files, join(path, manifestFile), mostBytes.manifest);
    const manifest = openManifest(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (manifest.step !== name.step || manifest.serial !== name.serial) {
      throw new NotAsExpected(`it is the checkpoint ${folderOf(manifest)}`);
    }
    return manifest;
  });
}

/**
 * Reads a whole checkpoint, each byte of it checked.
 *
 * @throws MultigradError `invalid-data` where it is damaged, `unsupported` for another version, `io` where it cannot be
 *   read: that does not show whether it is damaged
 */
export async function readCheckpoint(
  files: Files,
  folder: string,
  name: CheckpointName,
): Promise<CheckpointContent> {
  const manifest = await readManifest(files, folder, name);
  return undamaged(files, folder, name, async (path) => {
    const tensors = new Map<string, RawTensor>();
    for (const file of tensorFiles) {
      const expected = manifest.files[file];
      if (expected.bytes > mostBytes.tensors) {
        throw new NotAsExpected(
          `${file} should have at most ${mostBytes.tensors} bytes, the manifest says ${expected.bytes}`,
        );
      }
      const content = await readChecked(files, join(path, file), expected);
      for (const [tensor, raw] of decodeSafetensors(content, { name: file }).tensors) {
        if (fileOf(tensor) !== file) throw new NotAsExpected(`${file} holds \`${tensor}\``);
        tensors.set(tensor, raw);
      }
    }
    return { manifest, tensors };
  });
}

async function undamaged<T>(
  files: Files,
  folder: string,
  name: CheckpointName,
  read: (path: string) => Promise<T>,
): Promise<T> {
  const path = join(folder, folderOf(name));
  try {
    return await read(path);
  } catch (cause) {
    if (MultigradError.isInstance(cause) && cause.code === 'unsupported') throw cause;
    // A file that the system could not read may be sound. A file that is not there is damage: a checkpoint gets its
    // name once all its files are on the disk.
    const missing = isMissing(cause) && (await isThere(files, path).catch(() => false));
    if (isOfSystem(cause) && !missing) {
      throw ioError(
        `read the checkpoint ${folderOf(name)} in ${folder}, which may be sound (nothing was changed; try again, or, ` +
          'where it can never be read, move it away to go on from the one before it)',
        cause,
      );
    }
    throw new MultigradError(
      'invalid-data',
      `The checkpoint ${folderOf(name)} in ${folder} is damaged: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** Whether an error comes from the system, not from the content of a file. */
function isOfSystem(cause: unknown): boolean {
  return /^E(?!RR_)/.test(codeOf(cause));
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}
