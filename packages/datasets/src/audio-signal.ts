import { MultigradError, randomState, resumeRandom } from '@multigrad/core/strategy';

/** Zero crossings of the sinc on each side of a sample. */
const reach = 16;

/**
 * A signal at another sample rate, by a Hann-windowed sinc of 16 zero crossings to either side; going down, frequencies
 * above half of the new rate are taken out first.
 *
 * @param most - samples after which it ends, an integer >= 0
 * @returns `⌈length · to/from⌉` samples, at most `most`
 * @throws MultigradError `invalid-option` for a rate that is no number > 0
 *
 * @example
 * ```ts
 * import { resample } from '@multigrad/datasets';
 *
 * const second = Float32Array.from({ length: 16_000 }, (_, n) => Math.sin((2 * Math.PI * 440 * n) / 16_000));
 * console.log(resample(second, 16_000, 22_050).length); // 22050
 * ```
 */
export function resample(
  samples: Float32Array,
  from: number,
  to: number,
  most: number = Number.POSITIVE_INFINITY,
): Float32Array {
  for (const rate of [from, to]) {
    if (Number.isFinite(rate) && rate > 0) continue;
    throw new MultigradError(
      'invalid-option',
      `A sample rate of \`resample\` should be a number > 0. Found ${rate}.`,
    );
  }
  if (from === to) return samples.slice(0, most);
  const cutoff = Math.min(1, to / from);
  const span = reach / cutoff;
  const length = Math.min(most, Math.ceil((samples.length * to) / from));
  return Float32Array.from({ length }, (_, i) => {
    const centre = (i * from) / to;
    let sum = 0;
    const last = Math.min(samples.length - 1, Math.floor(centre + span));
    for (let n = Math.max(0, Math.ceil(centre - span)); n <= last; n++) {
      const distance = centre - n;
      const x = Math.PI * cutoff * distance;
      const sinc = x === 0 ? 1 : Math.sin(x) / x;
      const hann = 0.5 + 0.5 * Math.cos((Math.PI * distance) / span);
      sum += samples[n]! * cutoff * sinc * hann;
    }
    return sum;
  });
}

/**
 * A signal with white Gaussian noise: `x + σ n` with `σ² = P · 10^(−snr/10)`, P the signal's mean square, n standard
 * normal.
 *
 * @param snr - signal-to-noise ratio in decibels, finite
 * @param power - P, where it is not that of `samples` (a recording that was padded with silence)
 * @param seed - an integer >= 0, with words that name this signal
 *
 * @example
 * ```ts
 * import { addWhiteNoise } from '@multigrad/datasets';
 *
 * const noisy = addWhiteNoise(new Float32Array(1000).fill(1), 20, [1, 'example']);
 * const power = noisy.reduce((sum, value) => sum + (value - 1) ** 2, 0) / 1000;
 * console.log(power > 0.005 && power < 0.015); // true: a hundredth of the signal's
 * ```
 */
export function addWhiteNoise(
  samples: Float32Array,
  snr: number,
  [seed, ...stream]: readonly [seed: number, ...stream: (string | number)[]],
  power: number = meanSquare(samples),
): Float32Array {
  if (!Number.isFinite(snr)) {
    throw new MultigradError(
      'invalid-option',
      `Option \`snr\` should be a finite number of decibels. Found ${snr}.`,
    );
  }
  const random = resumeRandom(randomState(seed, 'white noise', ...stream));
  const deviation = Math.sqrt(power * 10 ** (-snr / 10));
  return samples.map((sample) => sample + deviation * random.normal());
}

/** Mean of the squares, 0 for no samples. */
export function meanSquare(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length === 0 ? 0 : sum / samples.length;
}
