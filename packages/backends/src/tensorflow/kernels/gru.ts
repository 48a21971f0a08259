import { gruGradInputs, gruShapes, recurrentInputs } from '../../registry/sequence-inputs.ts';
import { type NativeKernel, runNative } from './native-kernel.ts';

/** A gated recurrent unit over whole sequences; threads share the samples. */
export const gru: NativeKernel = {
  name: 'Gru',
  run: ({ inputs, attrs }, backend) => {
    const given = recurrentInputs('Gru', inputs, 3);
    const { count, steps, units, sums, recurrent, h, mask } = given;
    const { hard } = attrs as unknown as { readonly hard: boolean };
    const all = [sums, recurrent, h, ...(mask === null ? [] : [mask])];
    const numbers = [hard ? 1 : 0, mask === null ? 0 : 1, steps, units, count];
    return runNative(backend, 'Gru', all, numbers, gruShapes(given));
  },
};

/** The gradients of {@link gru} with respect to its sums and to the state before the first step. */
export const gruGrad: NativeKernel = {
  name: 'GruGrad',
  run: ({ inputs, attrs }, backend) => {
    const given = gruGradInputs(inputs);
    const { count, steps, units, recurrent, gates, before } = given;
    const { hard } = attrs as unknown as { readonly hard: boolean };
    const optional = [given.dStates, given.dLast, given.mask];
    const all = [recurrent, gates, before, ...optional.filter((tensor) => tensor !== null)];
    const present = optional.map((tensor) => (tensor === null ? 0 : 1));
    const numbers = [hard ? 1 : 0, ...present, steps, units, count];
    return runNative(backend, 'GruGrad', all, numbers, [gates.shape, [count, units]]);
  },
};
