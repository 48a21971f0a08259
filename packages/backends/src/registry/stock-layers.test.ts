import '@tensorflow/tfjs-backend-cpu';
import { expectConstantMemory, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { normal } from '../testing/seeded-tensors.ts';
import { useBackend } from '../use-backend.ts';

type LstmOptions = Omit<Parameters<typeof layers.lstm>[0], 'units'>;

const [count, steps, channels, units] = [3, 4, 5, 6];

/** Outputs and gradients, with respect to the input and the weights, of an LSTM and the kernels that ran. */
async function run(
  options: LstmOptions,
  given: { readonly masked?: boolean; readonly state?: boolean },
  weights: readonly number[],
): Promise<{ numbers: Float32Array[]; kernels: string[] }> {
  const layer = layers.lstm({ units, ...options });
  // Applied once, the layer has its weights.
  tf.tidy(() => void layer.apply(tf.zeros([count, steps, channels])));
  let numbers: Float32Array[] = [];
  const { kernelNames } = await tf.profile(() => {
    tf.tidy(() => {
      const x = normal([count, steps, channels], 1) as tf.Tensor3D;
      const marks = [1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0].map((one) => one === 1);
      const mask = given.masked === true ? tf.tensor2d(marks, [count, steps], 'bool') : null;
      const initialState =
        given.state === true ? [normal([count, units], 2), normal([count, units], 3)] : null;
      layer.setWeights(layer.getWeights().map((own, k) => normal(own.shape, weights[k]!)));
      const outputs = (input: tf.Tensor): tf.Tensor[] => {
        const found = layer.call(input, { mask, initialState });
        return Array.isArray(found) ? found : [found];
      };
      const loss = (input: tf.Tensor): tf.Scalar =>
        tf.addN(
          outputs(input).map((one, k) => tf.sum(tf.mul(one, normal(one.shape, 10 + k)))),
        ) as tf.Scalar;
      const dx = tf.grad(loss)(x);
      const { grads } = tf.variableGrads(() => loss(x));
      numbers = [...outputs(x), dx, ...Object.values(grads)].map((tensor) =>
        tensor.dataSync<'float32'>().slice(),
      );
    });
    return [];
  });
  layer.dispose();
  return { numbers, kernels: [...kernelNames] };
}

describe.each(testedBackends())('layers of TensorFlow.js on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each<[string, LstmOptions, { masked?: boolean; state?: boolean }]>([
    ['the last state', {}, {}],
    ['all states', { returnSequences: true }, {}],
    ['state and cell too', { returnState: true }, {}],
    ['sigmoid gates, no bias', { recurrentActivation: 'sigmoid', useBias: false }, {}],
    ['backwards, masked', { goBackwards: true, returnSequences: true }, { masked: true }],
    ['masked, from a state', { returnState: true }, { masked: true, state: true }],
  ])(
    'LSTM, %s: as TensorFlow.js composes it, by one kernel each way',
    async (_, options, given) => {
      const seeds = [21, 22, 23];
      const own = await expectConstantMemory(() => run(options, given, seeds));
      // TensorFlow.js's own loop takes this option with a warning and without a difference.
      const quiet = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
      const stock = await run({ ...options, unroll: true }, given, seeds);
      quiet.mockRestore();
      expect(own.kernels).toEqual(expect.arrayContaining(['Lstm', 'LstmGrad']));
      expect(stock.kernels).not.toContain('Lstm');
      expect(own.numbers).toHaveLength(stock.numbers.length);
      own.numbers.forEach((values, k) => {
        const wanted = stock.numbers[k]!;
        const size = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
        values.forEach((value, i) =>
          expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-5 * size),
        );
      });
    },
  );

  it.each<[string, LstmOptions]>([
    ['dropout', { dropout: 0.3 }],
    ['another activation', { activation: 'relu' }],
    ['all states and the last cell', { returnSequences: true, returnState: true }],
  ])('LSTM with %s runs as before', async (_, options) => {
    const { kernels } = await run(options, {}, [1, 2, 3]);
    expect(kernels).not.toContain('Lstm');
  });

  it('layer normalisation runs as one kernel, with and without scale and offset', async () => {
    for (const options of [{}, { scale: false }, { center: false }, { axis: 1 }]) {
      const layer = layers.layerNormalization({ epsilon: 1e-3, ...options });
      const { kernelNames } = await tf.profile(() => {
        tf.tidy(() => {
          const x = normal([4, 6, 3], 5);
          const y = layer.apply(x) as tf.Tensor;
          const axis = 'axis' in options ? 1 : 2;
          const { mean, variance } = tf.moments(x, axis, true);
          const wanted = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-3)));
          expect(tf.max(tf.abs(tf.sub(y, wanted))).dataSync()[0]).toBeLessThan(1e-5);
        });
        return [];
      });
      expect(kernelNames.includes('LayerNorm')).toBe(!('axis' in options));
      layer.dispose();
    }
  });
});
