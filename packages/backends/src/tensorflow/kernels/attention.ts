import { attentionGradInputs, attentionInputs } from '../../registry/sequence-inputs.ts';
import { type NativeKernel, runNative } from './native-kernel.ts';

/** Attention of several heads; threads share the pairs of sample and head. */
export const attention: NativeKernel = {
  name: 'Attention',
  run: ({ inputs, attrs }, backend) => {
    const given = attentionInputs('Attention', inputs, attrs);
    const { count, queries, keys, heads, width, scale, q, k, v, mask } = given;
    const numbers = [count, queries, keys, heads, width, scale, mask === null ? 0 : 1];
    const all = [q, k, v, ...(mask === null ? [] : [mask])];
    return runNative(backend, 'Attention', all, numbers, [q.shape, [count, heads, queries, keys]]);
  },
};

/** The gradients of {@link attention} with respect to queries, keys and values, from its probabilities. */
export const attentionGrad: NativeKernel = {
  name: 'AttentionGrad',
  run: ({ inputs, attrs }, backend) => {
    const given = attentionGradInputs(inputs, attrs);
    const { count, queries, keys, heads, width, scale, q, k, v, dy, p } = given;
    const numbers = [count, queries, keys, heads, width, scale];
    return runNative(backend, 'AttentionGrad', [dy, q, k, v, p], numbers, [
      q.shape,
      k.shape,
      v.shape,
    ]);
  },
};
