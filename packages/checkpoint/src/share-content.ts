import type { GradientExchange } from '@multigrad/core';
import type { Json } from '@multigrad/core/strategy';
import { fromRoot } from '@multigrad/core/support';
import type { CheckpointContent } from './checkpoint-folder.ts';
import type { Manifest } from './manifest.ts';
import type { RawTensor } from './safetensors/index.ts';

/** All of a checkpoint but the numbers of its tensors. */
interface Outline {
  readonly manifest: Manifest;
  readonly tensors: readonly (readonly [
    name: string,
    dtype: RawTensor['dtype'],
    shape: readonly number[],
    bytes: number,
  ])[];
}

/**
 * Gives every rank the checkpoint that rank 0 reads, tensor by tensor. Every rank calls it.
 *
 * @param read - runs on rank 0 alone
 * @returns null on every rank where rank 0 has read none
 * @throws on every rank what `read` threw
 */
export async function shareContent(
  exchange: GradientExchange,
  read: () => Promise<CheckpointContent | null>,
): Promise<CheckpointContent | null> {
  let own: CheckpointContent | null = null;
  const outline = (await fromRoot<Json>(exchange, 'restore', async () => {
    own = await read();
    return outlineOf(own) as unknown as Json;
  })) as unknown as Outline | null;
  if (outline === null) return null;
  const mine = own as CheckpointContent | null;
  const tensors = new Map<string, RawTensor>();
  for (const [name, dtype, shape, bytes] of outline.tensors) {
    const words = wordsOf(mine?.tensors.get(name)?.bytes ?? new Uint8Array(bytes));
    await exchange.broadcast(words);
    tensors.set(name, { dtype, shape, bytes: new Uint8Array(words.buffer, 0, bytes) });
  }
  return { manifest: outline.manifest, tensors };
}

function outlineOf(content: CheckpointContent | null): Outline | null {
  if (content === null) return null;
  const { manifest, tensors } = content;
  return {
    manifest,
    tensors: Array.from(tensors, ([name, { dtype, shape, bytes }]) => [
      name,
      dtype,
      shape,
      bytes.byteLength,
    ]),
  };
}

/** A copy of bytes as words of four: a broadcast moves float32 numbers, and keeps their bits whatever they stand for. */
function wordsOf(bytes: Uint8Array): Float32Array {
  const words = new Float32Array(Math.ceil(bytes.byteLength / 4));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}
