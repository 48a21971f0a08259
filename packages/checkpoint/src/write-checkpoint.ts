import type { GradientExchange } from '@multigrad/core';
import type { Files, Fingerprint } from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { fromEach, fromRoot } from '@multigrad/core/support';
import { CheckpointPart } from './checkpoint-part.ts';
import {
  fileOf,
  type Manifest,
  mostBytes,
  sliceFile,
  type TensorFile,
  tensorFiles,
} from './manifest.ts';
import { safetensorsParts } from './safetensors/encode.ts';
import type { RawTensor } from './safetensors/index.ts';

/** What a manifest says beside the files. */
export type ManifestHead = Omit<Manifest, 'format' | 'files' | 'shapes'>;

type Tensors = ReadonlyMap<string, RawTensor>;

/**
 * Writes a checkpoint whose tensors this process has whole.
 *
 * @throws MultigradError `unsupported` for more than 4 GiB in one file, before anything is written; `io`, and then the
 *   checkpoint is whole or unseen: unless the last of all operations failed, what was written of it is removed
 */
export async function writeCheckpoint(
  files: Files,
  folder: string,
  head: ManifestHead,
  tensors: Tensors,
): Promise<void> {
  const contents = tensorFiles.map((file) => [file, partsOf(file, file, tensors)] as const);
  const part = new CheckpointPart(files, folder, head);
  try {
    await part.begin();
    const written: Record<string, Fingerprint> = {};
    for (const [file, parts] of contents) written[file] = await part.write(file, parts);
    await part.finish({ format: 1, ...head, files: written });
  } catch (error) {
    await part.discard();
    throw error;
  }
}

/** What each of several ranks gives to a checkpoint. */
export interface RankTensors {
  /** Weights and statistics, whole; slots, averages and memory in slices, as a trainer's snapshot of slices has them. */
  readonly tensors: Tensors;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/**
 * Writes a checkpoint of several ranks: rank 0 the weights, each rank its slices of what else training carries, into the same
 * folder. Rank 0 gives the folder its name once all files are on the disk. Every rank calls it.
 *
 * @param begin - runs on rank 0, before anything is written: what the manifest says
 * @throws MultigradError as {@link writeCheckpoint}, on every rank
 */
export async function writeTogether(
  files: Files,
  folder: string,
  exchange: GradientExchange,
  begin: () => Promise<ManifestHead>,
  { tensors, shapes }: RankTensors,
): Promise<void> {
  const { rank, size } = exchange;
  let head: ManifestHead | null = null;
  let part = null as CheckpointPart | null;
  const file = sliceFile(rank, size);
  try {
    const begun = await fromRoot(exchange, 'checkpoint', async () => {
      head = await begin();
      part = new CheckpointPart(files, folder, head);
      await part.begin();
      return { step: head.step, serial: head.serial, name: part.name };
    });
    part ??= new CheckpointPart(files, folder, begun, begun.name);
    const own = part;
    const written = await fromEach(exchange, 'checkpoint, slices', async () => {
      // What no rank has cut is the same everywhere: rank 0 writes it.
      const given = Array.from(tensors).filter(([name]) => rank === 0 || shapes.has(name));
      const parts = partsOf(file, 'training.safetensors', new Map(given));
      return { ...(await own.write(file, parts)) };
    });
    await fromRoot(exchange, 'checkpoint, end', async () => {
      const weights = partsOf('weights.safetensors', 'weights.safetensors', tensors);
      const all = new Map<string, Fingerprint>();
      all.set('weights.safetensors', await own.write('weights.safetensors', weights));
      for (const [other, fingerprint] of written.entries()) {
        await own.see(sliceFile(other, size), fingerprint);
        all.set(sliceFile(other, size), fingerprint);
      }
      await own.finish({
        ...{ format: 2, ...head!, files: Object.fromEntries(all) },
        shapes: Object.fromEntries(shapes),
      });
      return null;
    });
  } catch (error) {
    if (rank === 0) await part?.discard();
    throw error;
  }
}

/** A file of tensors in parts, which share the tensors' bytes. @throws MultigradError `unsupported` for more than 4 GiB */
function partsOf(
  file: TensorFile,
  sort: (typeof tensorFiles)[number],
  tensors: Tensors,
): Uint8Array[] {
  const parts = safetensorsParts(Array.from(tensors).filter(([name]) => fileOf(name) === sort));
  const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (bytes <= mostBytes.tensors) return parts;
  throw new MultigradError(
    'unsupported',
    `A checkpoint's ${file} should have at most ${mostBytes.tensors} bytes. Found ${bytes}.`,
  );
}
