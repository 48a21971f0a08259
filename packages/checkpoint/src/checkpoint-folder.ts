import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, MultigradError } from '@multigrad/core/strategy';
import {
  type Fingerprint,
  ioError,
  readPlainFile,
  sha256,
  syncFolder,
  writeDurably,
} from './durable-files.ts';
import {
  type Manifest,
  openManifest,
  sealManifest,
  type TensorFile,
  tensorFiles,
} from './manifest.ts';
import { decodeSafetensors, encodeSafetensors, type RawTensor } from './safetensors/index.ts';

const manifestFile = 'checkpoint.json';
const folderName = /^step-(\d{8,15})-(\d{4,9})$/;
/** Names that something unfinished bears: being written, or being removed. */
const unfinished = /^\.(part|gone)-step-\d{8,15}-\d{4,9}$/;
/** No JSON of a checkpoint is longer, and no file of tensors: what a header claims costs no more memory. */
const mostBytes = { manifest: 2 ** 28, tensors: 2 ** 32 } as const;

/** Which checkpoint of a folder. */
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
export async function listCheckpoints(folder: string): Promise<CheckpointName[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    if (isMissing(cause)) return [];
    throw ioError(`read the folder of checkpoints ${folder}`, cause);
  });
  return entries
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      const [, step, serial] = folderName.exec(name) ?? [];
      return step === undefined ? [] : [{ step: Number(step), serial: Number(serial) }];
    })
    .sort(newestFirst);
}

export function newestFirst(a: CheckpointName, b: CheckpointName): number {
  return b.step - a.step || b.serial - a.serial;
}

/** Removes what an interrupted write or removal left behind. */
export async function clearUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (unfinished.test(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/**
 * Writes a checkpoint: all files into a folder under another name, each on the disk before that is renamed. A crash at
 * any moment leaves the earlier ones as they were, and this one whole or unseen.
 *
 * @throws MultigradError `io`; what was written of it is removed
 */
export async function writeCheckpoint(
  folder: string,
  head: Omit<Manifest, 'format' | 'files'>,
  tensors: ReadonlyMap<string, RawTensor>,
): Promise<void> {
  const name = folderOf(head);
  const part = join(folder, `.part-${name}`);
  try {
    await mkdir(folder, { recursive: true });
    await clearUnfinished(folder);
    await mkdir(part);
    const files: Partial<Record<TensorFile, Fingerprint>> = {};
    for (const file of tensorFiles) {
      const own = Array.from(tensors).filter(([tensor]) => fileOf(tensor) === file);
      files[file] = await writeDurably(join(part, file), encodeSafetensors(own));
    }
    const manifest = { format: 1, ...head, files: files as Manifest['files'] } as const;
    await writeDurably(join(part, manifestFile), new TextEncoder().encode(sealManifest(manifest)));
    await syncFolder(part);
    await rename(part, join(folder, name));
    await syncFolder(folder);
  } catch (cause) {
    await rm(part, { recursive: true, force: true }).catch(() => undefined);
    if (MultigradError.isInstance(cause)) throw cause;
    throw ioError(`write the checkpoint of step ${head.step} to ${folder}`, cause);
  }
}

/** What networks elsewhere can use is apart from what only this training can. */
function fileOf(tensor: string): TensorFile {
  return /^(weights|statistics)\//.test(tensor) ? 'weights.safetensors' : 'training.safetensors';
}

/** Removes a checkpoint; a crash half-way leaves none that looks whole. */
export async function removeCheckpoint(folder: string, name: CheckpointName): Promise<void> {
  const gone = join(folder, `.gone-${folderOf(name)}`);
  try {
    await rename(join(folder, folderOf(name)), gone);
    await rm(gone, { recursive: true, force: true });
  } catch (cause) {
    throw ioError(`remove the checkpoint ${folderOf(name)} from ${folder}`, cause);
  }
}

/**
 * Reads a checkpoint's manifest.
 *
 * @throws MultigradError `invalid-data` where it is damaged, `unsupported` for another version
 */
export async function readManifest(folder: string, name: CheckpointName): Promise<Manifest> {
  return undamaged(folder, name, async (path) => {
    const bytes = await readPlainFile(join(path, manifestFile), mostBytes.manifest);
    const manifest = openManifest(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (manifest.step !== name.step || manifest.serial !== name.serial) {
      throw new Error(`it is the checkpoint ${folderOf(manifest)}`);
    }
    return manifest;
  });
}

/**
 * Reads a whole checkpoint, each byte of it checked.
 *
 * @throws MultigradError `invalid-data` where it is damaged, `unsupported` for another version
 */
export async function readCheckpoint(
  folder: string,
  name: CheckpointName,
): Promise<CheckpointContent> {
  const manifest = await readManifest(folder, name);
  return undamaged(folder, name, async (path) => {
    const tensors = new Map<string, RawTensor>();
    for (const file of tensorFiles) {
      const { bytes, sha256: expected } = manifest.files[file];
      const content = await readPlainFile(join(path, file), Math.min(bytes, mostBytes.tensors));
      if (content.byteLength !== bytes || sha256(content) !== expected) {
        throw new Error(`${file} is not what was written`);
      }
      for (const [tensor, raw] of decodeSafetensors(content, { name: file }).tensors) {
        if (fileOf(tensor) !== file) throw new Error(`${file} holds \`${tensor}\``);
        tensors.set(tensor, raw);
      }
    }
    return { manifest, tensors };
  });
}

async function undamaged<T>(
  folder: string,
  name: CheckpointName,
  read: (path: string) => Promise<T>,
): Promise<T> {
  try {
    return await read(join(folder, folderOf(name)));
  } catch (cause) {
    if (MultigradError.isInstance(cause) && cause.code === 'unsupported') throw cause;
    throw new MultigradError(
      'invalid-data',
      `The checkpoint ${folderOf(name)} in ${folder} is damaged: ${(cause as Error).message}`,
      { cause },
    );
  }
}
