import { cast, concat, reshape, type Tensor, tidy } from '@tensorflow/tfjs-core';

/**
 * Reads many small tensors in one asynchronous transfer, each as a flat array.
 *
 * A separate read for each would let the GPU idle: every read waits for all work that was queued before it.
 */
export async function readTogether(tensors: readonly Tensor[]): Promise<Float32Array[]> {
  if (tensors.length === 0) return [];
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
