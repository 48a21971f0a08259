import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { expectConstantMemory } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { relativeDifference } from '../testing/compare-backends.ts';
import {
  convolutionGeometries,
  convolutionInfo,
  type ConvolutionGeometry,
} from '../testing/geometries.ts';
import { convolutionFilterGradient, convolutionInputGradient } from '../testing/reference.ts';
import { normal, normalValues } from '../testing/seeded-tensors.ts';
import { installCpuKernels } from './install.ts';

/** Float64 sums rounded once: half a unit in the last place, next to the largest magnitude. */
const roundedOnce = 2 ** -24;
/** Against forward passes or kernels that sum in float32. */
const float32Sums = 1e-5;

type Inputs = Record<string, { readonly values: Float32Array; readonly shape: number[] }>;

/** What a registered kernel makes of the inputs. */
function run(name: string, inputs: Inputs, attributes: tf.NamedAttrMap): Float32Array {
  return tf.tidy(() => {
    const tensors = Object.fromEntries(
      Object.entries(inputs).map(([key, { values, shape }]) => [key, tf.tensor(values, shape)]),
    );
    const result = tf.engine().runKernel<tf.Tensor>(name, tensors, attributes);
    return result.dataSync<'float32'>().slice();
  });
}

function bothGradients(geometry: ConvolutionGeometry): Record<'found' | 'exact', number[][]> {
  const info = convolutionInfo(geometry);
  const { inShape, filterShape, outShape } = info;
  const values = (shape: number[], seed: number) => ({
    values: normalValues(tf.util.sizeFromShape(shape), seed),
    shape,
  });
  const [x, filter, dy] = [values(inShape, 1), values(filterShape, 2), values(outShape, 3)];
  const { strides, pad } = geometry;
  const attributes = { strides, pad: pad as 'same', dataFormat: 'NHWC' };
  const forFilter = { ...attributes, filterShape };
  const forInput = { ...attributes, inputShape: inShape };
  return {
    found: [
      [...run('Conv2DBackpropFilter', { x, dy }, forFilter)],
      [...run('Conv2DBackpropInput', { dy, filter }, forInput)],
    ],
    exact: [
      [...convolutionFilterGradient(x.values, dy.values, info)],
      [...convolutionInputGradient(dy.values, filter.values, info)],
    ],
  };
}

/** Input and filter gradients through `tf.grads`, by the kernels that are registered at the moment. */
function throughGrads({
  batch,
  height,
  width,
  channels,
  outputs,
  kernel,
  strides,
  pad,
}: ConvolutionGeometry): Float32Array[] {
  return tf.tidy(() => {
    const x = normal([batch, height, width, channels], 1);
    const filter = normal([...kernel, channels, outputs], 2);
    const convolve = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
      tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, strides, pad);
    const weights = normal(convolve(x, filter).shape, 3);
    return tf
      .grads((a, b) => tf.sum(tf.mul(convolve(a!, b!), weights)))([x, filter])
      .map((gradient) => gradient.dataSync<'float32'>().slice());
  });
}

describe('convolution gradients on cpu', () => {
  // The stock kernels are slow: small ones only.
  const small = convolutionGeometries.filter(
    ({ channels, outputs, kernel }) => channels * outputs * kernel[0] * kernel[1] <= 200,
  );
  const cases = fc.sample(small, { numRuns: 60, seed: 4 });
  const planes: tf.NamedAttrMap = { strides: [1, 1], pad: 'same', dataFormat: 'NCHW' };
  const image = { values: normalValues(2 * 3 * 5 * 5, 1), shape: [2, 3, 5, 5] };
  const planesGradient = (): Float32Array =>
    run('Conv2DBackpropFilter', { x: image, dy: image }, { ...planes, filterShape: [3, 3, 3, 3] });
  let stock: Float32Array[][];
  let stockPlanes: Float32Array;
  let stockCalls = 0;
  let warnings: number;

  beforeAll(async () => {
    await tf.setBackend('cpu');
    // Before ours take their place.
    stock = cases.map(throughGrads);
    stockPlanes = planesGradient();
    const shipped = tf.getKernel('Conv2DBackpropFilter', 'cpu');
    tf.unregisterKernel('Conv2DBackpropFilter', 'cpu');
    tf.registerKernel({
      ...shipped,
      kernelFunc: (call) => {
        stockCalls += 1;
        return shipped.kernelFunc(call);
      },
    });
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    installCpuKernels();
    warnings = warn.mock.calls.length;
    warn.mockRestore();
  });

  it('take the place of the stock kernels, once and without a warning', async () => {
    const own = tf.getKernel('Conv2DBackpropFilter', 'cpu');
    stockCalls = 0;
    await expectConstantMemory(() => bothGradients(cases[0]!));
    expect(stockCalls).toBe(0);
    installCpuKernels();
    expect(tf.getKernel('Conv2DBackpropFilter', 'cpu')).toBe(own);
    expect(warnings).toBe(0);
  });

  it('agree with the definition in float64 on any geometry', async () => {
    await fc.assert(
      fc.asyncProperty(convolutionGeometries, async (geometry) => {
        const { found, exact } = await expectConstantMemory(() => bothGradients(geometry));
        found.forEach((gradient, which) => {
          expect(relativeDifference(gradient, exact[which]!)).toBeLessThanOrEqual(
            roundedOnce * 1.001,
          );
        });
      }),
      { numRuns: 50 },
    );
  });

  it('agree with the stock kernels through tf.grads, and free what they make', async () => {
    const found = await expectConstantMemory(() => cases.map(throughGrads));
    found.forEach((gradients, index) => {
      gradients.forEach((gradient, which) => {
        const difference = relativeDifference(gradient, stock[index]![which]!);
        expect(difference, JSON.stringify(cases[index])).toBeLessThanOrEqual(float32Sums);
      });
    });
  });

  it('agree with finite differences of the forward pass', async () => {
    const geometry: ConvolutionGeometry = {
      batch: 2,
      height: 5,
      width: 4,
      channels: 2,
      outputs: 3,
      kernel: [3, 2],
      strides: [2, 1],
      pad: 'same',
    };
    const { inShape, filterShape, outShape } = convolutionInfo(geometry);
    const [x, filter, weights] = [inShape, filterShape, outShape].map((shape, k) =>
      normalValues(tf.util.sizeFromShape(shape), k + 1),
    ) as [Float32Array, Float32Array, Float32Array];
    const loss = (): number =>
      tf.tidy(() => {
        const [image, taps] = [tf.tensor4d(x, inShape), tf.tensor4d(filter, filterShape)];
        const y = tf.conv2d(image, taps, geometry.strides, 'same').dataSync<'float32'>();
        return y.reduce((sum, value, i) => sum + value * weights[i]!, 0);
      });
    const slopes = (values: Float32Array): Float64Array =>
      Float64Array.from(values.keys(), (i) => {
        // A convolution is linear in either factor: a step of 1 has no truncation error, and little rounding.
        const centre = values[i]!;
        values[i] = centre + 1;
        const [above, up] = [loss(), values[i]!];
        values[i] = centre - 1;
        const slope = (above - loss()) / (up - values[i]!);
        values[i] = centre;
        return slope;
      });
    await expectConstantMemory(() => {
      const [dx, dFilter] = throughGrads(geometry) as [Float32Array, Float32Array];
      expect(relativeDifference(dx, slopes(x))).toBeLessThanOrEqual(float32Sums);
      expect(relativeDifference(dFilter, slopes(filter))).toBeLessThanOrEqual(float32Sums);
    });
  });

  it.each([NaN, Infinity, -Infinity])(
    'let %d through a zero, to what it touches',
    async (value) => {
      const one = { shape: [1, 1, 1, 1] };
      const [zero, bad] = [
        { ...one, values: Float32Array.of(0) },
        { ...one, values: Float32Array.of(value) },
      ];
      const attributes = { strides: [1, 1], pad: 'valid', dataFormat: 'NHWC' };
      const filterGradient = { ...attributes, filterShape: [1, 1, 1, 1] };
      const inputGradient = { ...attributes, inputShape: [1, 1, 1, 1] };
      await expectConstantMemory(() => {
        for (const [first, second] of [
          [zero, bad],
          [bad, zero],
        ] as const) {
          const dFilter = run('Conv2DBackpropFilter', { x: first, dy: second }, filterGradient);
          const dx = run('Conv2DBackpropInput', { dy: first, filter: second }, inputGradient);
          expect([...dFilter, ...dx]).toEqual([NaN, NaN]);
        }
        // The other image, and pixels that no window shares with it, stay finite.
        const images = { values: normalValues(2 * 5, 1), shape: [2, 1, 5, 1] };
        const dy = { values: normalValues(2 * 5, 2), shape: [2, 1, 5, 1] };
        dy.values[0] = value;
        const filter = { values: Float32Array.of(1, 0, 2), shape: [1, 3, 1, 1] };
        const same = { ...attributes, pad: 'same', inputShape: images.shape };
        const finite = [...run('Conv2DBackpropInput', { dy, filter }, same)].map(Number.isFinite);
        expect(finite).toEqual([false, false, true, true, true, true, true, true, true, true]);
      });
    },
  );

  it('hand other layouts and dilations on to the stock kernels', async () => {
    await expectConstantMemory(() => {
      expect(planesGradient()).toEqual(stockPlanes);
      stockCalls = 0;
      const x = { values: normalValues(25, 1), shape: [1, 5, 5, 1] };
      const attributes = {
        strides: [1, 1],
        pad: 'same',
        dataFormat: 'NHWC',
        filterShape: [3, 3, 1, 1],
      };
      run('Conv2DBackpropFilter', { x, dy: x }, { ...attributes, dilations: [1, 1] });
      expect(stockCalls).toBe(0);
      run('Conv2DBackpropFilter', { x, dy: x }, { ...attributes, dilations: [1, 2] });
      run('Conv2DBackpropFilter', { x, dy: x }, { ...attributes, dilations: 2 });
      expect(stockCalls).toBe(2);
    });
  });

  it('leave an output gradient larger than the output to the stock kernel', async () => {
    await expectConstantMemory(() =>
      tf.tidy(() => {
        const filter = tf.ones<tf.Rank.R4>([3, 3, 1, 1]);
        const dy = tf.reshape<tf.Rank.R4>(tf.range(0, 25), [1, 5, 5, 1]);
        const found = tf.conv2dTranspose(dy, filter, [1, 2, 2, 1], 1, 'same').dataSync();
        // Of dy the first two rows and columns: 0 + 1 + 5 + 6 under every window.
        expect([...found]).toEqual([12, 12, 12, 12]);
      }),
    );
  });

  it('refuse an output gradient of the wrong shape', async () => {
    const x = { values: normalValues(25, 1), shape: [1, 5, 5, 1] };
    const attributes = { strides: [1, 1], pad: 'valid', filterShape: [3, 3, 1, 1] };
    await expectConstantMemory(() => {
      const one = { values: Float32Array.of(1), shape: [1, 1, 1, 1] };
      const forInput = { strides: [1, 1], pad: 'valid', inputShape: [1, 3, 3, 1] };
      expect(() => run('Conv2DBackpropInput', { dy: one, filter: one }, forInput)).toThrow(
        'of shape [1, 3, 3, 1]. Found float32 of shape [1, 1, 1, 1].',
      );
      expect(() => run('Conv2DBackpropFilter', { x, dy: x }, attributes)).toThrow(
        'of shape [1, 3, 3, 1]. Found float32 of shape [1, 5, 5, 1].',
      );
    });
  });
});
