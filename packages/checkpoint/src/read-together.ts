import { type GradientExchange, sliceOf } from '@multigrad/core';
import { type Files, NotAsExpected } from '@multigrad/core/files';
import { type ErrorCode, type Json, MultigradError } from '@multigrad/core/strategy';
import { fromRoot } from '@multigrad/core/support';
import {
  type CheckpointName,
  readCheckpoint,
  readManifest,
  readTensors,
  undamaged,
} from './checkpoint-folder.ts';
import { type Manifest, sliceFile } from './manifest.ts';
import type { RawTensor } from './safetensors/index.ts';
import {
  cutRaw,
  outlinesOf,
  type RankContent,
  shareContent,
  shareTensors,
} from './share-content.ts';
import { sizeOf } from './shape-size.ts';

/** What one rank has read: whole tensors, and the pieces of its slices in the order in which they follow each other. */
interface OwnPart {
  readonly whole: Map<string, RawTensor>;
  readonly pieces: Map<string, RawTensor[]>;
}

/**
 * Reads a checkpoint from a folder that all ranks share: weights by rank 0, which sends them to all, and of the slices that
 * any number of ranks have written each rank those files that hold numbers of its own. Beside its slices a rank holds one
 * file at a time. A checkpoint that one process has written whole is read by rank 0. Every rank calls it.
 *
 * @throws MultigradError as `readCheckpoint` does, with the same code on every rank
 */
export async function readTogether(
  exchange: GradientExchange,
  files: Files,
  folder: string,
  name: CheckpointName,
): Promise<RankContent> {
  const manifest = (await fromRoot<Json>(
    exchange,
    'restore, manifest',
    async () => (await readManifest(files, folder, name)) as unknown as Json,
  )) as unknown as Manifest;
  if (manifest.shapes === undefined) {
    return (await shareContent(exchange, async () => readCheckpoint(files, folder, name)))!;
  }
  const own = await onAll(exchange, async () =>
    undamaged(files, folder, name, async (path) => readOwn(exchange, files, path, manifest)),
  );
  const outlines = (await fromRoot<Json>(exchange, 'restore, weights', () =>
    outlinesOf(own.whole),
  )) as unknown as ReturnType<typeof outlinesOf>;
  const tensors = new Map<string, RawTensor>();
  const given = exchange.rank === 0 ? { tensors: own.whole } : null;
  for await (const [tensor, raw] of shareTensors(exchange, outlines, given))
    tensors.set(tensor, raw);
  for (const [tensor, pieces] of own.pieces) tensors.set(tensor, joined(pieces));
  return { manifest, tensors, shapes: new Map(Object.entries(manifest.shapes)) };
}

async function readOwn(
  { rank, size }: GradientExchange,
  files: Files,
  path: string,
  { files: listed, shapes = {} }: Manifest,
): Promise<OwnPart> {
  const cut = Object.entries(shapes);
  const fingerprints = new Map(Object.entries(listed));
  const pieces = new Map(cut.map(([name]) => [name, [] as RawTensor[]]));
  const weights = 'weights.safetensors';
  const whole = new Map(
    rank === 0 ? await readTensors(files, path, weights, fingerprints.get(weights)!) : [],
  );
  const writers = fingerprints.size - 1;
  for (let writer = 0; writer < writers; writer += 1) {
    const shared = cut.map(([name, shape]) => {
      const numbers = sizeOf(shape);
      const [of, mine] = [sliceOf(numbers, writer, writers), sliceOf(numbers, rank, size)];
      const [begin, end] = [Math.max(of.begin, mine.begin), Math.min(of.end, mine.end)];
      return { name, of, begin, end };
    });
    // Some rank reads each file, also one that holds nothing, so that damage is found wherever it is.
    if (writer % size !== rank && shared.every(({ begin, end }) => begin >= end)) continue;
    const file = sliceFile(writer, writers);
    const tensors = await readTensors(files, path, file, fingerprints.get(file)!);
    for (const { name, of, begin, end } of shared) {
      const raw = tensors.get(name);
      const found = raw === undefined ? 0 : sizeOf(raw.shape);
      if (found !== of.end - of.begin) {
        throw new NotAsExpected(
          `${file} should hold ${of.end - of.begin} numbers of \`${name}\`, it holds ${found}`,
        );
      }
      if (raw === undefined || begin >= end) continue;
      pieces.get(name)!.push(cutRaw(raw, { begin: begin - of.begin, end: end - of.begin }));
    }
    // What no rank has cut stands in the file of rank 0.
    if (rank > 0) continue;
    for (const [name, raw] of tensors) if (!pieces.has(name)) whole.set(name, raw);
  }
  return { whole, pieces };
}

/** The pieces of a slice as one; those of no numbers are float32, as every slice is. */
function joined(pieces: readonly RawTensor[]): RawTensor {
  const bytes = new Uint8Array(pieces.reduce((sum, one) => sum + one.bytes.byteLength, 0));
  let at = 0;
  for (const one of pieces) {
    bytes.set(one.bytes, at);
    at += one.bytes.byteLength;
  }
  const numbers = pieces.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return { dtype: pieces[0]?.dtype ?? 'F32', shape: [numbers], bytes };
}

/** Runs work on every rank. @throws MultigradError the same on all, where it fails on one: first what is no damage */
async function onAll<T>(exchange: GradientExchange, work: () => Promise<T>): Promise<T> {
  let result: T | null = null;
  let own: { readonly code: ErrorCode; readonly message: string } | null = null;
  try {
    result = await work();
  } catch (error) {
    const code = MultigradError.isInstance(error) ? error.code : 'io';
    own = { code, message: (error as Error).message };
  }
  const all = await exchange.gather<Json>('restore, slices', own);
  const faults = (all as readonly (typeof own)[]).flatMap((fault, rank) =>
    fault === null ? [] : [{ ...fault, rank }],
  );
  const worst = faults.find(({ code }) => code !== 'invalid-data') ?? faults[0];
  if (worst === undefined) return result!;
  throw new MultigradError(worst.code, `Rank ${worst.rank}: ${worst.message}`);
}
