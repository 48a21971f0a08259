import { MultigradError, own } from '@multigrad/core/strategy';
import type { TorchLayout } from './layouts.ts';

// PyTorch's names and layouts for the weights of TensorFlow.js's layers.
const kinds: Readonly<Record<string, readonly [name: string, layout: TorchLayout]>> = {
  kernel: ['weight', 'kernel'],
  depthwise_kernel: ['weight', 'depthwise'],
  bias: ['bias', 'as-is'],
  embeddings: ['weight', 'as-is'],
  gamma: ['weight', 'as-is'],
  beta: ['bias', 'as-is'],
  moving_mean: ['running_mean', 'as-is'],
  moving_variance: ['running_var', 'as-is'],
};

function split(name: string): { readonly path: string; readonly kind: string } {
  const at = name.lastIndexOf('/');
  return { path: name.slice(0, Math.max(0, at)), kind: name.slice(at + 1) };
}

/**
 * PyTorch's name of a weight: `gray/conv1/kernel` is `gray.conv1.weight`, `bn/moving_mean` is `bn.running_mean`.
 * A word that is no weight of a TensorFlow.js layer stays as it is.
 *
 * @example
 * ```ts
 * import { torchName } from '@multigrad/checkpoint/model-files';
 *
 * console.log(torchName('gray/bn1/gamma')); // gray.bn1.weight
 * ```
 */
export function torchName(name: string): string {
  const { path, kind } = split(name);
  const last = own(kinds, kind)?.[0] ?? kind;
  return (path === '' ? last : `${path}/${last}`).replaceAll('/', '.');
}

/**
 * How PyTorch stores a weight of that name.
 *
 * @throws MultigradError `unsupported` for weights of recurrent layers, whose gates come in another order
 */
export function torchLayout(name: string): TorchLayout {
  const { kind } = split(name);
  const known = own(kinds, kind);
  if (known !== undefined) return known[1];
  if (kind !== 'recurrent_kernel') return 'as-is';
  throw new MultigradError(
    'unsupported',
    `The gates of \`${name}\` come in another order in PyTorch. Name a layout for it where they do not.`,
  );
}
