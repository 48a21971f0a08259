import { Tensor } from '@tensorflow/tfjs-core';

// Of a larger tensor so many numbers, evenly spread, decide.
const sampled = 1024;

/**
 * A short text that two batches share where their tensors have the same names, shapes and numbers. Of large tensors a part of
 * the numbers counts.
 */
export async function batchDigest(batch: unknown): Promise<string> {
  const hash = { value: 0x811c9dc5 };
  await addValue(hash, batch, '');
  return hash.value.toString(16).padStart(8, '0');
}

interface Hash {
  value: number;
}

async function addValue(hash: Hash, value: unknown, name: string): Promise<void> {
  if (value instanceof Tensor) {
    const { shape, dtype } = value as Tensor;
    addText(hash, `${name} ${dtype} ${shape.join(' ')}`);
    const values = await (value as Tensor).data<'float32' | 'string'>();
    const step = Math.max(1, Math.floor(values.length / sampled));
    for (let i = 0; i < values.length; i += step) addText(hash, String(values[i]));
    return;
  }
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  for (const [key, child] of Object.entries(value)) await addValue(hash, child, `${name}.${key}`);
}

/** FNV-1a of 32 bits. */
function addText(hash: Hash, text: string): void {
  for (let i = 0; i < text.length; i += 1) {
    hash.value = Math.imul(hash.value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  hash.value = Math.imul(hash.value ^ 0x2c, 0x01000193) >>> 0;
}
