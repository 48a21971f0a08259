import '@tensorflow/tfjs-backend-cpu';
import { expectConstantMemory, testedBackends } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { normal } from '../testing/seeded-tensors.ts';
import { useBackend } from '../use-backend.ts';

type RecurrentOptions = Omit<Parameters<typeof layers.lstm>[0], 'units'>;

/** A layer's name, and those of its kernels. */
const recurrent = [
  { make: 'lstm', kernels: ['Lstm', 'LstmGrad'], states: 2 },
  { make: 'gru', kernels: ['Gru', 'GruGrad'], states: 1 },
] as const;

const [count, steps, channels, units] = [3, 4, 5, 6];

/** Outputs and gradients, with respect to the input and the weights, of a recurrent layer and the kernels that ran. */
async function run(
  { make, states }: (typeof recurrent)[number],
  options: RecurrentOptions,
  given: { readonly masked?: boolean; readonly state?: boolean },
  weights: readonly number[],
): Promise<{ numbers: Float32Array[]; kernels: string[] }> {
  const layer = layers[make]({ units, ...options });
  // Applied once, the layer has its weights.
  tf.tidy(() => void layer.apply(tf.zeros([count, steps, channels])));
  let numbers: Float32Array[] = [];
  const { kernelNames } = await tf.profile(() => {
    tf.tidy(() => {
      const x = normal([count, steps, channels], 1) as tf.Tensor3D;
      const marks = [1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0].map((one) => one === 1);
      const mask = given.masked === true ? tf.tensor2d(marks, [count, steps], 'bool') : null;
      const initialState =
        given.state === true
          ? Array.from({ length: states }, (_, k) => normal([count, units], 2 + k))
          : null;
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

/** The numbers sin(a + 1.7 i), i = 0, 1, …, to three digits. */
function waves(a: number, shape: number[]): tf.Tensor {
  const size = tf.util.sizeFromShape(shape);
  const values = Array.from({ length: size }, (_, i) => Math.sin(a + 1.7 * i).toFixed(3));
  return tf.tensor(values.map(Number), shape);
}

/**
 * What `keras.layers.GRU(3, reset_after=False, return_sequences=True)` of Keras 3.15.1 returns for the input, weights and mask
 * of the test below; its hard gates are given as `clip(x / 5 + 1 / 2, 0, 1)`, as in Keras 2.
 */
const statesOfKeras = {
  sigmoid: [
    -0.1579286009, 0.2078227699, 0.2288942784, -0.1579286009, 0.2078227699, 0.2288942784,
    -0.365465939, 0.1484011412, 0.5445404053, -0.2434011698, -0.1074665338, 0.3323107064,
    -0.5171138048, -0.1910976171, 0.7538668513, -0.5171138048, -0.1910976171, 0.7538668513,
  ],
  hardSigmoid: [
    -0.1695560962, 0.2075445354, 0.2197465003, -0.1695560962, 0.2075445354, 0.2197465003,
    -0.3841972351, 0.1459122002, 0.5256927013, -0.2466399819, -0.1162231266, 0.3239862919,
    -0.5303820372, -0.2024868429, 0.7320967317, -0.5303820372, -0.2024868429, 0.7320967317,
  ],
};

describe.each(testedBackends())('layers of TensorFlow.js on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  describe.each(recurrent)('$make', (layer) => {
    it.each<[string, RecurrentOptions, { masked?: boolean; state?: boolean }]>([
      ['the last state', {}, {}],
      ['all states', { returnSequences: true }, {}],
      ['the states too', { returnState: true }, {}],
      ['sigmoid gates, no bias', { recurrentActivation: 'sigmoid', useBias: false }, {}],
      ['backwards, masked', { goBackwards: true, returnSequences: true }, { masked: true }],
      ['masked, from a state', { returnState: true }, { masked: true, state: true }],
    ])('%s: as TensorFlow.js composes it, by one kernel each way', async (_, options, given) => {
      const seeds = [21, 22, 23];
      const own = await expectConstantMemory(() => run(layer, options, given, seeds));
      // TensorFlow.js's own loop takes this option with a warning and without a difference.
      const quiet = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
      const stock = await run(layer, { ...options, unroll: true }, given, seeds);
      quiet.mockRestore();
      expect(own.kernels).toEqual(expect.arrayContaining([...layer.kernels]));
      expect(stock.kernels).not.toContain(layer.kernels[0]);
      expect(own.numbers).toHaveLength(stock.numbers.length);
      own.numbers.forEach((values, k) => {
        const wanted = stock.numbers[k]!;
        const size = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
        values.forEach((value, i) =>
          expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-5 * size),
        );
      });
    });

    it.each<[string, RecurrentOptions]>([
      ['dropout', { dropout: 0.3 }],
      ['another activation', { activation: 'relu' }],
      ['all states and the last one', { returnSequences: true, returnState: true }],
    ])('with %s runs as before', async (_, options) => {
      const { kernels } = await run(layer, options, {}, [1, 2, 3]);
      expect(kernels).not.toContain(layer.kernels[0]);
    });
  });

  it.each(['sigmoid', 'hardSigmoid'] as const)(
    'gru with %s gates has the numbers of Keras',
    (gate) => {
      const layer = layers.gru({ units: 3, recurrentActivation: gate, returnSequences: true });
      tf.tidy(() => {
        const x = waves(0.1, [2, 3, 2]);
        layer.apply(x);
        layer.setWeights([waves(0.2, [2, 9]), waves(0.3, [3, 9]), waves(0.4, [9])]);
        const mask = tf.tensor2d([1, 0, 1, 1, 1, 0], [2, 3], 'bool');
        const states = (layer.call(x, { mask }) as tf.Tensor).dataSync();
        statesOfKeras[gate].forEach((value, i) => expect(states[i]).toBeCloseTo(value, 6));
      });
      layer.dispose();
    },
  );

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
