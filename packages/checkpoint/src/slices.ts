import { NotAsExpected } from '@multigrad/core/files';
import type { RawTensor } from './safetensors/index.ts';
import { sizeOf } from './shape-size.ts';

/**
 * Puts together what several files hold: tensors of one file as they are, and of those that ranks have cut the slices, one
 * after the other in the order of the files.
 *
 * @param shapes - of the tensors that were cut, by name
 * @throws NotAsExpected where slices do not add up to their shape, or a tensor comes twice
 */
export function joinSlices(
  contents: readonly ReadonlyMap<string, RawTensor>[],
  shapes: Readonly<Record<string, readonly number[]>>,
): ReadonlyMap<string, RawTensor> {
  const cut = new Map(Object.entries(shapes));
  const whole = new Map<string, RawTensor>();
  for (const tensors of contents) {
    for (const [name, raw] of tensors) {
      if (cut.has(name)) continue;
      if (whole.has(name)) throw new NotAsExpected(`\`${name}\` comes twice`);
      whole.set(name, raw);
    }
  }
  for (const [name, shape] of cut) {
    const slices = contents.flatMap((tensors) => tensors.get(name) ?? []);
    const [first] = slices;
    const numbers = slices.reduce((sum, { shape: of }) => sum + sizeOf(of), 0);
    if (numbers !== sizeOf(shape)) {
      throw new NotAsExpected(
        `the slices of \`${name}\` should hold ${sizeOf(shape)} numbers, they hold ${numbers}`,
      );
    }
    if (first === undefined || slices.some(({ dtype }) => dtype !== first.dtype)) {
      throw new NotAsExpected(`the slices of \`${name}\` should be of one type`);
    }
    const bytes = new Uint8Array(slices.reduce((sum, one) => sum + one.bytes.byteLength, 0));
    let at = 0;
    for (const one of slices) {
      bytes.set(one.bytes, at);
      at += one.bytes.byteLength;
    }
    whole.set(name, { dtype: first.dtype, shape: [...shape], bytes });
  }
  return whole;
}
