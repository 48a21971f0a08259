import { attentionGradInputs, attentionInputs } from '../registry/sequence-inputs.ts';
import { panelBytes } from './panels.ts';
import type { WasmKernel } from './wasm-kernel.ts';

/** Pieces of work at most: each has scratch memory of its own, and results must not depend on the number of threads. */
const mostPieces = 32;

function cut(count: number, heads: number): { readonly pairs: number; readonly pieces: number } {
  const pairs = Math.max(1, Math.ceil((count * heads) / mostPieces));
  return { pairs, pieces: Math.ceil((count * heads) / pairs) };
}

/** Attention of several heads; threads share the pairs of sample and head. */
export const attention: WasmKernel = {
  name: 'Attention',
  run: ({ inputs, attrs }, heap) => {
    const given = attentionInputs('Attention', inputs, attrs);
    const { count, queries, keys, heads, width, scale, q, k, v, mask } = given;
    const out = [heap.output(q.shape), heap.output([count, heads, queries, keys])];
    const { pairs, pieces } = cut(count, heads);
    const room = Math.max(panelBytes(width, keys), panelBytes(keys, width)) / 4;
    const scratch = heap.scratch(4 * room * pieces);
    heap.kernels.attention(
      heap.job,
      ...[q, k, v].map((tensor) => heap.pointer(tensor)),
      mask === null ? 0 : heap.pointer(mask),
      ...out.map((tensor) => heap.pointer(tensor)),
      ...[scratch, count, queries, keys, heads, width, pairs, room, scale],
    );
    return out;
  },
};

/** The gradients of `Attention` with respect to queries, keys and values, from its probabilities. */
export const attentionGrad: WasmKernel = {
  name: 'AttentionGrad',
  run: ({ inputs, attrs }, heap) => {
    const given = attentionGradInputs(inputs, attrs);
    const { count, queries, keys, heads, width, scale, q, k, v, dy, p } = given;
    const out = [q, k, v].map(({ shape }) => heap.output(shape));
    const { pairs, pieces } = cut(count, heads);
    const sides = [panelBytes(width, keys), panelBytes(keys, width), panelBytes(queries, width)];
    const room = queries * keys + Math.max(...sides) / 4;
    const scratch = heap.scratch(4 * room * pieces);
    heap.kernels.attention_gradient(
      heap.job,
      ...[dy, q, k, v, p, ...out].map((tensor) => heap.pointer(tensor)),
      ...[scratch, count, queries, keys, heads, width, pairs, room, scale],
    );
    return out;
  },
};
