import { cast, concat, getBackend, reshape, type Tensor, tidy } from '@tensorflow/tfjs-core';

/** Backends whose tensors lie in the memory of the processor: a read is a copy, and waits for nothing. */
const inMemory: ReadonlySet<string> = new Set(['cpu', 'wasm', 'tensorflow']);

/**
 * Reads many small tensors in one asynchronous transfer, each as a flat array.
 *
 * A separate read for each would let a GPU idle: every read waits for all work that was queued before it. Where tensors lie in
 * the processor's memory, separate reads cost less than packing them.
 */
export async function readTogether(tensors: readonly Tensor[]): Promise<Float32Array[]> {
  if (tensors.length === 0) return [];
  if (inMemory.has(getBackend())) {
    // Some backends return the tensor's own array.
    const all = await Promise.all(tensors.map(async (tensor) => tensor.data()));
    return all.map((values) => new Float32Array(values));
  }
  const packed = tidy(() =>
    concat(tensors.map((tensor) => reshape(cast(tensor, 'float32'), [tensor.size]))),
  );
  try {
    const values = await packed.data<'float32'>();
    let offset = 0;
    return tensors.map(({ size }) => values.slice(offset, (offset += size)));
  } finally {
    packed.dispose();
  }
}
