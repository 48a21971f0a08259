import { lstmGradInputs, lstmInputs, lstmShapes } from '../../registry/sequence-inputs.ts';
import { type NativeKernel, runNative } from './native-kernel.ts';

/** A long short-term memory over whole sequences; threads share the samples. */
export const lstm: NativeKernel = {
  name: 'Lstm',
  run: ({ inputs, attrs }, backend) => {
    const given = lstmInputs(inputs);
    const { count, steps, units, sums, recurrent, h, c, mask } = given;
    const { hard } = attrs as unknown as { readonly hard: boolean };
    const all = [sums, recurrent, h, c, ...(mask === null ? [] : [mask])];
    const numbers = [hard ? 1 : 0, mask === null ? 0 : 1, steps, units, count];
    return runNative(backend, 'Lstm', all, numbers, lstmShapes(given));
  },
};

/** The gradients of {@link lstm} with respect to its sums and to the state and cell before the first step. */
export const lstmGrad: NativeKernel = {
  name: 'LstmGrad',
  run: ({ inputs, attrs }, backend) => {
    const given = lstmGradInputs(inputs);
    const { count, steps, units, recurrent, c, gates, cells } = given;
    const { hard } = attrs as unknown as { readonly hard: boolean };
    const optional = [given.dStates, given.dLast, given.mask];
    const all = [recurrent, c, gates, cells, ...optional.filter((tensor) => tensor !== null)];
    const present = optional.map((tensor) => (tensor === null ? 0 : 1));
    const numbers = [hard ? 1 : 0, ...present, steps, units, count];
    return runNative(backend, 'LstmGrad', all, numbers, [gates.shape, c.shape, c.shape]);
  },
};
