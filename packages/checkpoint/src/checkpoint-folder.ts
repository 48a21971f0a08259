import { dirname, join } from 'node:path';
import {
  type Files,
  type Fingerprint,
  NotAsExpected,
  readChecked,
  readPlainFile,
  removeTree,
  syncFolder,
} from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError, isMissing } from '@multigrad/core/support';
import { fileOf, type Manifest, manifestFile, mostBytes, openManifest } from './manifest.ts';
import { joinSlices } from './slices.ts';
import { decodeSafetensors, type RawTensor } from './safetensors/index.ts';

const folderName = /^step-(\d{8,15})-(\d{4,9})$/;
/** Names of folders that are being written or removed. Those being written end with a word that no other writer has. */
const unfinished = /^\.(part|gone)-step-\d{8,15}-\d{4,9}(-[\da-f-]{36})?$/;
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
export async function clearUnfinished(files: Files, folder: string): Promise<void> {
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
    const contents: ReadonlyMap<string, RawTensor>[] = [];
    for (const [file, expected] of Object.entries(manifest.files)) {
      contents.push(await readTensors(files, path, file, expected));
    }
    return { manifest, tensors: joinSlices(contents, manifest.shapes ?? {}) };
  });
}

/**
 * Reads one file of a checkpoint, each byte of it checked.
 *
 * @param path - the checkpoint's folder
 * @throws NotAsExpected where it is damaged; the system's error where it cannot be read
 */
export async function readTensors(
  files: Files,
  path: string,
  file: string,
  expected: Fingerprint,
): Promise<ReadonlyMap<string, RawTensor>> {
  if (expected.bytes > mostBytes.tensors) {
    throw new NotAsExpected(
      `${file} should have at most ${mostBytes.tensors} bytes, the manifest says ${expected.bytes}`,
    );
  }
  const content = await readChecked(files, join(path, file), expected);
  const { tensors } = decodeSafetensors(content, { name: file });
  for (const tensor of tensors.keys()) {
    const sort = file === 'weights.safetensors' ? file : 'training.safetensors';
    if (fileOf(tensor) !== sort) throw new NotAsExpected(`${file} holds \`${tensor}\``);
  }
  return tensors;
}

/** Reads of a checkpoint, given its path. @throws MultigradError as {@link readCheckpoint} does */
export async function undamaged<T>(
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

export function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}
