import { type GradientExchange, type Slice, sliceOf } from '@multigrad/core';
import type { Json } from '@multigrad/core/strategy';
import { dividedTensors, fromRoot } from '@multigrad/core/support';
import type { CheckpointContent } from './checkpoint-folder.ts';
import type { Manifest } from './manifest.ts';
import type { RawTensor } from './safetensors/index.ts';
import { sizeOf } from './shape-size.ts';

/** A checkpoint as one of several ranks holds it. */
export interface RankContent extends CheckpointContent {
  /** Whole shapes of the tensors of which this rank has its slice alone, by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

/** All of a checkpoint but the numbers of its tensors. */
interface Outline {
  readonly manifest: Manifest;
  readonly tensors: readonly TensorOutline[];
}

type TensorOutline = readonly [
  name: string,
  dtype: RawTensor['dtype'],
  shape: readonly number[],
  bytes: number,
];

/**
 * Gives every rank its part of the checkpoint that rank 0 reads, tensor by tensor: weights whole, of what ranks divide its
 * slice. Beside these no rank but rank 0 holds more than one whole tensor. Every rank calls it.
 *
 * @param read - runs on rank 0 alone
 * @returns null on every rank where rank 0 has read none
 * @throws on every rank what `read` threw
 */
export async function shareContent(
  exchange: GradientExchange,
  read: () => Promise<CheckpointContent | null>,
): Promise<RankContent | null> {
  let own: CheckpointContent | null = null;
  const outline = (await fromRoot<Json>(exchange, 'restore', async () => {
    own = await read();
    return outlineOf(own) as unknown as Json;
  })) as unknown as Outline | null;
  if (outline === null) return null;
  const { manifest } = outline;
  const { rank, size } = exchange;
  const all = new Map(outline.tensors.map(([name, , shape]) => [name, shape]));
  const shapes = size === 1 ? new Map<string, never>() : dividedTensors(manifest.state, all);
  const tensors = new Map<string, RawTensor>();
  for await (const [name, raw] of shareTensors(exchange, outline.tensors, own)) {
    const slice = sliceOf(sizeOf(raw.shape), rank, size);
    tensors.set(name, shapes.has(name) ? cutRaw(raw, slice) : raw);
  }
  return { manifest, tensors, shapes };
}

/** Sends every rank the tensors that rank 0 has, one after the other. */
export async function* shareTensors(
  exchange: GradientExchange,
  outlines: readonly TensorOutline[],
  own: Pick<CheckpointContent, 'tensors'> | null,
): AsyncGenerator<readonly [name: string, raw: RawTensor], void> {
  for (const [name, dtype, shape, bytes] of outlines) {
    const words = wordsOf(own?.tensors.get(name)?.bytes ?? new Uint8Array(bytes));
    await exchange.broadcast(words);
    yield [name, { dtype, shape, bytes: new Uint8Array(words.buffer, 0, bytes) }];
  }
}

/** A part of a tensor's numbers, flat, with bytes of its own. */
export function cutRaw({ dtype, shape, bytes }: RawTensor, { begin, end }: Slice): RawTensor {
  const each = bytes.byteLength / Math.max(1, sizeOf(shape));
  return { dtype, shape: [end - begin], bytes: bytes.slice(begin * each, end * each) };
}

function outlineOf(content: CheckpointContent | null): Outline | null {
  if (content === null) return null;
  const { manifest, tensors } = content;
  return { manifest, tensors: outlinesOf(tensors) };
}

/** Names, types and sizes of tensors. */
export function outlinesOf(tensors: ReadonlyMap<string, RawTensor>): TensorOutline[] {
  return Array.from(tensors, ([name, { dtype, shape, bytes }]) => [
    name,
    dtype,
    shape,
    bytes.byteLength,
  ]);
}

/** A copy of bytes as words of four: a broadcast moves float32 numbers, and keeps their bits whatever they stand for. */
function wordsOf(bytes: Uint8Array): Float32Array {
  const words = new Float32Array(Math.ceil(bytes.byteLength / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}
