import { inputOf } from '../../registry/check-inputs.ts';
import { type NativeKernel, runNative } from './native-kernel.ts';

/** `x · Φ(x)`, or its approximation by a hyperbolic tangent. */
export const gelu: NativeKernel = {
  name: 'Gelu',
  run: ({ inputs, attrs }, backend) => {
    const x = inputOf('Gelu', inputs, 'x');
    return runNative(backend, 'Gelu', [x], [approximateOf(attrs)], [x.shape])[0]!;
  },
};

/** The gradient of {@link gelu}. */
export const geluGrad: NativeKernel = {
  name: 'GeluGrad',
  run: ({ inputs, attrs }, backend) => {
    const dy = inputOf('GeluGrad', inputs, 'dy');
    const x = inputOf('GeluGrad', inputs, 'x', dy.shape);
    return runNative(backend, 'GeluGrad', [dy, x], [approximateOf(attrs)], [dy.shape])[0]!;
  },
};

function approximateOf(attributes: unknown): number {
  return (attributes as { readonly approximate: boolean }).approximate ? 1 : 0;
}
