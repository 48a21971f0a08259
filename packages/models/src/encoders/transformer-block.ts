import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { LayerNormalization } from '../layers/layer-normalization.ts';
import { MultiHeadAttention } from '../layers/multi-head-attention.ts';
import type { SeededLayers } from '../weights/seeded-layers.ts';

/** What a block attends to, where it is not all of x. */
export interface Attended {
  /** Tokens of another stream, for cross-attention. */
  readonly context?: SymbolicTensor;
  /** The token numbers of x (n × t), whose padding no token attends to. */
  readonly padded?: SymbolicTensor;
}

/**
 * One block of a pre-norm transformer: `y = x + Attention(LN(x), c)`, `z = y + W_2 gelu(W_1 LN(y))`, where the context c
 * is `LN(x)` itself (self-attention) or the given tokens, normalised (cross-attention).
 */
export function transformerBlock(
  make: SeededLayers,
  block: string,
  x: SymbolicTensor,
  heads: number,
  { context, padded }: Attended = {},
): SymbolicTensor {
  const width = x.shape.at(-1)!;
  const norm = (layer: string, tokens: SymbolicTensor): SymbolicTensor =>
    new LayerNormalization({ name: make.name(`${block}/${layer}`) }).apply(
      tokens,
    ) as SymbolicTensor;
  const plus = (layer: string, ...terms: SymbolicTensor[]): SymbolicTensor =>
    layers.add({ name: make.name(`${block}/${layer}`) }).apply(terms) as SymbolicTensor;
  const attention = new MultiHeadAttention({
    ...make.config(`${block}/attention`),
    width,
    heads,
    ...(padded !== undefined && { masked: true }),
  });
  const queries = norm('norm1', x);
  const inputs = [
    queries,
    ...(context === undefined ? [] : [norm('context-norm', context)]),
    ...(padded === undefined ? [] : [padded]),
  ];
  const attended = attention.apply(inputs.length === 1 ? queries : inputs);
  const y = plus('add1', x, attended as SymbolicTensor);
  const hidden = make.dense(`${block}/dense1`, width, 4 * width, 'gelu').apply(norm('norm2', y));
  const out = make.dense(`${block}/dense2`, 4 * width, width).apply(hidden);
  return plus('add2', y, out as SymbolicTensor);
}
