import type { Communicator } from './communicator.ts';
import { reduced, totalOf } from './parts.ts';

/** How gradients are sent: as they are, or rounded to the 16 bits of bfloat16, in half the bytes. */
export type WireFormat = 'float32' | 'bfloat16';

/** All of them. */
export const wireFormats: readonly string[] = ['float32', 'bfloat16'] satisfies WireFormat[];

/**
 * Numbers rounded to bfloat16, the upper half of float32: 8 bits of exponent, 7 of the fraction. Ties go to even; what is too
 * large becomes infinity, NaN stays NaN. The relative error of normal numbers is at most 2⁻⁸.
 */
export function toBfloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const rounded = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i += 1) {
    const one = bits[i]!;
    const isNaN = (one & 0x7fffffff) > 0x7f800000;
    rounded[i] = isNaN ? (one >>> 16) | 0x40 : (one + 0x7fff + ((one >>> 16) & 1)) >>> 16;
  }
  return rounded;
}

/** The float32 numbers that bfloat16 numbers stand for. */
export function fromBfloat16(values: Uint16Array): Float32Array {
  const bits = new Uint32Array(values.length);
  for (let i = 0; i < bits.length; i += 1) bits[i] = values[i]! << 16;
  return new Float32Array(bits.buffer);
}

/**
 * Adds up over the ranks as `reduceScatter` does, with every number rounded to bfloat16 on its way. The sums are float32, in the
 * order of the ranks.
 */
export async function reduceScatterRounded(
  communicator: Communicator,
  values: Float32Array,
  counts: readonly number[],
): Promise<Float32Array> {
  const { rank, size } = communicator;
  const bytes = new Uint8Array(toBfloat16(values).buffer);
  const all = await communicator.allToAll(
    bytes,
    counts.map((count) => 2 * count),
  );
  const numbers = fromBfloat16(new Uint16Array(all.buffer));
  const own = counts[rank]!;
  return reduced(
    Array.from({ length: size }, (_, from) => numbers.subarray(from * own, (from + 1) * own)),
    'sum',
  );
}

/** The error of rounded sums, measured beside exact ones: squares of differences and of sums. */
export class WireError {
  #differences = 0;
  #sums = 0;

  /** Takes the sums of one bucket, both ways. */
  add(rounded: Float32Array, exact: Float32Array): void {
    for (let i = 0; i < exact.length; i += 1) {
      this.#differences += (rounded[i]! - exact[i]!) ** 2;
      this.#sums += exact[i]! ** 2;
    }
  }

  /** `√(Σ_ranks |rounded − exact|² / Σ_ranks |exact|²)`, the same on every rank; NaN where all sums are 0 or some not finite. */
  async ofAllRanks(communicator: Communicator): Promise<number> {
    communicator.nextCall('error of rounded gradients');
    const own = Float64Array.of(this.#differences, this.#sums);
    const all = await communicator.allGather(own, new Array<number>(communicator.size).fill(2));
    const of = (place: number): number => totalOf([...all].filter((_, i) => i % 2 === place));
    return Math.sqrt(of(0) / of(1));
  }
}
