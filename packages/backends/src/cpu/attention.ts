import { attentionGradInputs, attentionInputs } from '../registry/sequence-inputs.ts';
import { type CpuKernel, tensorOf, valuesOf } from './cpu-kernel.ts';

/** Attention of several heads, which lie side by side in the rows. */
export const attention: CpuKernel = {
  name: 'Attention',
  run: ({ inputs, attrs }, backend) => {
    const given = attentionInputs('Attention', inputs, attrs);
    const { count, queries, keys, heads, width, scale, mask } = given;
    const row = heads * width;
    const [q, k, v] = [given.q, given.k, given.v].map((tensor) => valuesOf(backend, tensor)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const masks = mask === null ? null : valuesOf(backend, mask);
    const y = new Float64Array(q.length);
    const p = new Float32Array(count * heads * queries * keys);
    const scores = new Float64Array(keys);
    for (let pair = 0; pair < count * heads; pair += 1) {
      const [n, head] = [Math.floor(pair / heads), pair % heads];
      for (let i = 0; i < queries; i += 1) {
        const from = (n * queries + i) * row + head * width;
        let largest = -Infinity;
        for (let j = 0; j < keys; j += 1) {
          const key = (n * keys + j) * row + head * width;
          let score = 0;
          for (let d = 0; d < width; d += 1) score += q[from + d]! * k[key + d]!;
          scores[j] = scale * score + (masks === null ? 0 : 1e9 * (masks[n * keys + j]! - 1));
          largest = Math.max(largest, scores[j]!);
        }
        let total = 0;
        for (let j = 0; j < keys; j += 1) total += scores[j] = Math.exp(scores[j]! - largest);
        for (let j = 0; j < keys; j += 1) {
          const share = scores[j]! / total;
          p[(pair * queries + i) * keys + j] = share;
          const key = (n * keys + j) * row + head * width;
          for (let d = 0; d < width; d += 1) y[from + d]! += share * v[key + d]!;
        }
      }
    }
    return [
      tensorOf(backend, given.q.shape, y),
      tensorOf(backend, [count, heads, queries, keys], p),
    ];
  },
};

/** The gradients of `Attention` with respect to queries, keys and values, from its probabilities. */
export const attentionGrad: CpuKernel = {
  name: 'AttentionGrad',
  run: ({ inputs, attrs }, backend) => {
    const given = attentionGradInputs(inputs, attrs);
    const { count, queries, keys, heads, width, scale } = given;
    const row = heads * width;
    const [dy, q, k, v, p] = [given.dy, given.q, given.k, given.v, given.p].map((tensor) =>
      valuesOf(backend, tensor),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
    const [dq, dk, dv] = [q, k, v].map(({ length }) => new Float64Array(length)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const e = new Float64Array(keys);
    for (let pair = 0; pair < count * heads; pair += 1) {
      const [n, head] = [Math.floor(pair / heads), pair % heads];
      for (let i = 0; i < queries; i += 1) {
        const from = (n * queries + i) * row + head * width;
        const shares = p.subarray((pair * queries + i) * keys, (pair * queries + i + 1) * keys);
        let total = 0;
        for (let j = 0; j < keys; j += 1) {
          const key = (n * keys + j) * row + head * width;
          let product = 0;
          for (let d = 0; d < width; d += 1) product += dy[from + d]! * v[key + d]!;
          e[j] = product;
          total += product * shares[j]!;
        }
        for (let j = 0; j < keys; j += 1) {
          const key = (n * keys + j) * row + head * width;
          const slope = scale * shares[j]! * (e[j]! - total);
          for (let d = 0; d < width; d += 1) {
            dq[from + d]! += slope * k[key + d]!;
            dk[key + d]! += slope * q[from + d]!;
            dv[key + d]! += shares[j]! * dy[from + d]!;
          }
        }
      }
    }
    return [
      tensorOf(backend, given.q.shape, dq),
      tensorOf(backend, given.k.shape, dk),
      tensorOf(backend, given.v.shape, dv),
    ];
  },
};
