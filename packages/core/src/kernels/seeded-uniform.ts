/** 64 bits that identify a sequence of uniform random numbers. */
export type UniformKey = readonly [high: number, low: number];

/** Makes the key for a seed, a step and a layer: the same numbers in every process and on every backend. */
export function uniformKey(seed: number, step: number, layer: string): UniformKey {
  const text = JSON.stringify([seed, step, layer]);
  const hash = (start: number): number => {
    let value = start;
    for (let i = 0; i < text.length; i += 1) {
      // FNV-1a, on code units.
      value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
    }
    return mix(value) >>> 0;
  };
  return [hash(0x811c9dc5), hash(0x050c5d1f)];
}

/**
 * Computes the i-th uniform number of a key: in [0, 1), a multiple of 2⁻²⁴. It is a hash of the index, so any thread can compute
 * any part of the sequence by itself.
 */
export function seededUniform([high, low]: UniformKey, index: number): number {
  return (mix(mix(index ^ low) + high) >>> 8) * 2 ** -24;
}

/** A bijection of 32 bits in which each bit of the input changes half of the output's. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return h ^ (h >>> 15);
}
