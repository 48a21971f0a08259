import { inputOf, rowsAndChannels } from '../registry/check-inputs.ts';
import { type CpuKernel, tensorOf, valuesOf } from './cpu-kernel.ts';

/**
 * Batch normalisation by the statistics of the batch. It also returns each channel's mean, variance and inverse
 * deviation.
 */
export const batchNormTraining: CpuKernel = {
  name: 'BatchNormTraining',
  run: ({ inputs, attrs }, backend) => {
    const name = 'BatchNormTraining';
    const x = inputOf(name, inputs, 'x');
    const [rows, channels] = rowsAndChannels(x.shape);
    const scale = valuesOf(backend, inputOf(name, inputs, 'scale', [channels]));
    const offset = valuesOf(backend, inputOf(name, inputs, 'offset', [channels]));
    const { epsilon } = attrs as unknown as { epsilon: number };
    const X = valuesOf(backend, x);
    const mean = sums(channels, X.length, (i) => X[i]!).map((sum) => sum / rows);
    const variance = sums(channels, X.length, (i, c) => (X[i]! - mean[c]!) ** 2).map(
      (sum) => sum / rows,
    );
    const inverse = variance.map((value) => 1 / Math.sqrt(value + epsilon));
    const y = eachNumber(X.length, channels, (i, c) => {
      return scale[c]! * (X[i]! - mean[c]!) * inverse[c]! + offset[c]!;
    });
    return [
      tensorOf(backend, x.shape, y),
      ...[mean, variance, inverse].map((vector) => tensorOf(backend, [channels], vector)),
    ];
  },
};

/** Gradients of batch normalisation by the statistics of the batch, through the mean and variance too. */
export const batchNormTrainingGrad: CpuKernel = {
  name: 'BatchNormTrainingGrad',
  run: ({ inputs }, backend) => {
    const name = 'BatchNormTrainingGrad';
    const dy = inputOf(name, inputs, 'dy');
    const [rows, channels] = rowsAndChannels(dy.shape);
    const X = valuesOf(backend, inputOf(name, inputs, 'x', dy.shape));
    const [scale, mean, inverse] = ['scale', 'mean', 'inverseDeviation'].map((vector) =>
      valuesOf(backend, inputOf(name, inputs, vector, [channels])),
    ) as [Float32Array, Float32Array, Float32Array];
    const D = valuesOf(backend, dy);
    const standard = (i: number, c: number): number => (X[i]! - mean[c]!) * inverse[c]!;
    const dOffset = sums(channels, D.length, (i) => D[i]!);
    const dScale = sums(channels, D.length, (i, c) => D[i]! * standard(i, c));
    const dx = eachNumber(D.length, channels, (i, c) => {
      const centred = D[i]! - dOffset[c]! / rows - (standard(i, c) * dScale[c]!) / rows;
      return scale[c]! * inverse[c]! * centred;
    });
    return [
      tensorOf(backend, dy.shape, dx),
      tensorOf(backend, [channels], dScale),
      tensorOf(backend, [channels], dOffset),
    ];
  },
};

/** Gradients of a batch normalisation by given statistics. */
export const batchNormInferenceGrad: CpuKernel = {
  name: 'BatchNormInferenceGrad',
  run: ({ inputs, attrs }, backend) => {
    const name = 'BatchNormInferenceGrad';
    const dy = inputOf(name, inputs, 'dy');
    const [, channels] = rowsAndChannels(dy.shape);
    const X = valuesOf(backend, inputOf(name, inputs, 'x', dy.shape));
    const [mean, variance, scale] = ['mean', 'variance', 'scale'].map((vector) =>
      valuesOf(backend, inputOf(name, inputs, vector, [channels])),
    ) as [Float32Array, Float32Array, Float32Array];
    const { epsilon } = attrs as unknown as { epsilon: number };
    const D = valuesOf(backend, dy);
    const inverse = Float64Array.from(variance, (value) => 1 / Math.sqrt(value + epsilon));
    const dOffset = sums(channels, D.length, (i) => D[i]!);
    const dScale = sums(channels, D.length, (i, c) => D[i]! * (X[i]! - mean[c]!) * inverse[c]!);
    const dx = eachNumber(D.length, channels, (i, c) => D[i]! * scale[c]! * inverse[c]!);
    const dMean = dOffset.map((sum, c) => -scale[c]! * inverse[c]! * sum);
    const dVariance = dScale.map((sum, c) => (-scale[c]! * inverse[c]! ** 2 * sum) / 2);
    return [
      tensorOf(backend, dy.shape, dx),
      ...[dMean, dVariance, dScale, dOffset].map((sum) => tensorOf(backend, [channels], sum)),
    ];
  },
};

/** For each channel, the sum of a term over all numbers of the channel. */
function sums(
  channels: number,
  size: number,
  term: (index: number, channel: number) => number,
): Float64Array {
  const totals = new Float64Array(channels);
  for (let i = 0; i < size;) {
    for (let c = 0; c < channels; c += 1, i += 1) totals[c]! += term(i, c);
  }
  return totals;
}

function eachNumber(
  size: number,
  channels: number,
  value: (index: number, channel: number) => number,
): Float32Array {
  const values = new Float32Array(size);
  for (let i = 0; i < size;) {
    for (let c = 0; c < channels; c += 1, i += 1) values[i] = value(i, c);
  }
  return values;
}
