import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/**
 * Features as a sequence of tokens, n × t × c: a vector is one token, each pixel of a map (and of each frame) is one, a
 * sequence stays.
 */
export function tokensOf(name: string, x: SymbolicTensor): SymbolicTensor {
  const [, ...sizes] = x.shape as [null, ...number[]];
  if (sizes.length === 2) return x;
  const channels = sizes.pop()!;
  const count = sizes.reduce((product, size) => product * size, 1);
  const reshape = layers.reshape({ name, targetShape: [count, channels] });
  return reshape.apply(x) as SymbolicTensor;
}
