import { inputOf, rowsAndChannels } from '../../registry/check-inputs.ts';
import { type NativeKernel, runNative } from './native-kernel.ts';

/** Layer normalisation over the last axis. It also returns each row's mean and inverse deviation. */
export const layerNorm: NativeKernel = {
  name: 'LayerNorm',
  run: ({ inputs, attrs }, backend) => {
    const x = inputOf('LayerNorm', inputs, 'x');
    const [rows, columns] = rowsAndChannels(x.shape);
    const vectors = ['scale', 'offset'].map((name) =>
      inputOf('LayerNorm', inputs, name, [columns]),
    );
    const { epsilon } = attrs as unknown as { readonly epsilon: number };
    return runNative(backend, 'LayerNorm', [x, ...vectors], [epsilon], [x.shape, [rows], [rows]]);
  },
};

/** The gradients of {@link layerNorm}. */
export const layerNormGrad: NativeKernel = {
  name: 'LayerNormGrad',
  run: ({ inputs }, backend) => {
    const name = 'LayerNormGrad';
    const dy = inputOf(name, inputs, 'dy');
    const [rows, columns] = rowsAndChannels(dy.shape);
    const all = [
      dy,
      inputOf(name, inputs, 'x', dy.shape),
      inputOf(name, inputs, 'scale', [columns]),
      inputOf(name, inputs, 'mean', [rows]),
      inputOf(name, inputs, 'inverseDeviation', [rows]),
    ];
    return runNative(backend, name, all, [], [dy.shape, [columns], [columns]]);
  },
};
