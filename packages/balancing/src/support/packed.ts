import * as tf from '@tensorflow/tfjs-core';

/** A tensor as plain JSON: its shape, and its float32 numbers, little-endian, in base64. It comes back bit for bit. */
export type PackedTensor = Readonly<{ shape: readonly number[]; data: string }>;

/** Tensors by name as plain JSON. */
export type PackedTensors = Readonly<Record<string, PackedTensor>>;

/** Reads tensors. */
export async function packed(
  tensors: Iterable<readonly [string, tf.Tensor]>,
): Promise<PackedTensors> {
  const read = Array.from(tensors, async ([name, one]) => {
    const values = (await one.data()) as Float32Array;
    return [name, { shape: [...one.shape], data: base64(values) }] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

/** The tensors again, new ones that belong to the caller. */
export function unpacked(tensors: PackedTensors): tf.NamedTensorMap {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      tf.tensor(floats(data), [...shape]),
    ]),
  );
}

// Function calls take so many arguments on every engine.
const chunk = 8192;

function base64(values: Float32Array): string {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setFloat32(4 * i, value, true));
  let text = '';
  for (let first = 0; first < bytes.length; first += chunk) {
    text += String.fromCharCode(...bytes.subarray(first, first + chunk));
  }
  return btoa(text);
}

function floats(text: string): Float32Array {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}
