import { MultigradError } from '@multigrad/core/strategy';
import FFT from 'fft.js';

/** How a signal is cut into frames. */
export interface FrameOptions {
  /** Length of the Fourier transform, a power of two >= 2. */
  readonly fftSize: number;
  /**
   * Length of the Hann window, an integer from 1 to `fftSize`; the window stands in the middle of each frame.
   *
   * @defaultValue `fftSize`
   */
  readonly windowSize?: number;
  /** Samples from one frame to the next, an integer >= 1. */
  readonly hop: number;
  /**
   * Whether frames are centred on multiples of `hop`, with zeros before and after the signal; else the first frame
   * starts with the signal and the last one ends within it.
   *
   * @defaultValue false
   */
  readonly centred?: boolean;
}

/** A picture of a sound: one row for each band, the lowest first, and one column for each frame. */
export interface Spectrogram {
  /** Bands. */
  readonly height: number;
  /** Frames. */
  readonly width: number;
  /** `height · width` values, row by row. */
  readonly values: Float32Array;
}

/**
 * Short-time Fourier magnitudes `|Σ_n w_n x_(t+n) e^(−2πikn/N)|` for k = 0 … N/2 with the periodic Hann window
 * `w_n = ½ − ½ cos(2πn/W)`, which stands in the middle of the N samples of a frame.
 *
 * @returns N/2 + 1 bands; `1 + ⌊(length − N)/hop⌋` frames, or `1 + ⌊length/hop⌋` centred ones
 * @throws MultigradError `invalid-option` for a size out of its range, `invalid-data` for a signal shorter than a frame
 *
 * @example
 * ```ts
 * import { magnitudeSpectrogram } from '@multigrad/datasets';
 *
 * const tone = Float32Array.from({ length: 256 }, (_, n) => Math.cos((2 * Math.PI * 8 * n) / 64));
 * const { height, width, values } = magnitudeSpectrogram(tone, { fftSize: 64, hop: 64 });
 * console.log(height, width, values[8 * width]); // 33 4 16: the tone is in band 8
 * ```
 */
export function magnitudeSpectrogram(samples: Float32Array, options: FrameOptions): Spectrogram {
  const { height, width, values } = powerSpectrogram(checked(options))(samples);
  return { height, width, values: values.map(Math.sqrt) };
}

/** Squared magnitudes of any number of signals, with all that they share computed once. */
function powerSpectrogram({
  fftSize,
  windowSize = fftSize,
  hop,
  centred = false,
}: FrameOptions): (samples: Float32Array) => Spectrogram {
  const before = centred ? fftSize / 2 : 0;
  const height = fftSize / 2 + 1;
  const transform = new FFT(fftSize);
  const spectrum = transform.createComplexArray();
  const frame = new Float64Array(fftSize);
  const margin = Math.floor((fftSize - windowSize) / 2);
  const hann = Float64Array.from(
    { length: windowSize },
    (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / windowSize),
  );
  return (samples) => {
    const length = samples.length + 2 * before;
    if (length < fftSize) {
      throw new MultigradError(
        'invalid-data',
        `A signal should have at least the ${fftSize} samples of a frame. Found ${samples.length}.`,
      );
    }
    const padded = new Float32Array(length);
    padded.set(samples, before);
    const width = 1 + Math.floor((length - fftSize) / hop);
    const values = new Float32Array(height * width);
    for (let column = 0; column < width; column++) {
      const start = column * hop + margin;
      for (let n = 0; n < windowSize; n++) frame[margin + n] = hann[n]! * padded[start + n]!;
      transform.realTransform(spectrum, frame);
      for (let band = 0; band < height; band++) {
        const [real, imaginary] = [spectrum[2 * band]!, spectrum[2 * band + 1]!];
        values[band * width + column] = real * real + imaginary * imaginary;
      }
    }
    return { height, width, values };
  };
}

/** Options of {@link logMelSpectrogram}. */
export interface MelOptions extends FrameOptions {
  /** Samples per second, a number > 0. */
  readonly sampleRate: number;
  /** Number of bands, an integer >= 1. */
  readonly bands: number;
  /**
   * Lowest frequency in Hz, a number >= 0.
   *
   * @defaultValue 0
   */
  readonly lowest?: number;
  /**
   * Highest frequency in Hz, at most half of the sample rate.
   *
   * @defaultValue half of the sample rate
   */
  readonly highest?: number;
}

/**
 * Log-mel spectrogram: `ln(1 + Σ_k F_mk |X_k|²)` with triangular filters F whose corners are equally spaced in
 * `mel(f) = 2595 log₁₀(1 + f/700)` and whose peaks are 1. Silence is 0.
 *
 * @throws MultigradError `invalid-option` for an option out of its range, `invalid-data` for a signal shorter than a
 * frame
 *
 * @example
 * ```ts
 * import { logMelSpectrogram } from '@multigrad/datasets';
 *
 * const noise = Float32Array.from({ length: 6600 }, (_, n) => Math.sin(n * n));
 * const options = { sampleRate: 8000, fftSize: 512, windowSize: 400, hop: 200, bands: 32 };
 * const { height, width } = logMelSpectrogram(noise, options);
 * console.log(height, width); // 32 31
 * ```
 *
 * @see O'Shaughnessy, "Speech Communication: Human and Machine", 1987: the mel scale
 */
export function logMelSpectrogram(samples: Float32Array, options: MelOptions): Spectrogram {
  return logMelSpectrograms(options)(samples);
}

/** {@link logMelSpectrogram} for many signals, with filters, window and transform made once. */
export function logMelSpectrograms(options: MelOptions): (samples: Float32Array) => Spectrogram {
  const powers = powerSpectrogram(checked(options));
  const filters = melFilters(options);
  return (samples) => {
    const { width, values: power } = powers(samples);
    const values = new Float32Array(filters.length * width);
    filters.forEach(({ first, weights }, band) => {
      for (let column = 0; column < width; column++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) {
          sum += weights[k]! * power[(first + k) * width + column]!;
        }
        values[band * width + column] = Math.log1p(sum);
      }
    });
    return { height: filters.length, width, values };
  };
}

/** One band's weights, from a Fourier band on. */
interface Filter {
  readonly first: number;
  readonly weights: readonly number[];
}

function melFilters(options: MelOptions): Filter[] {
  const { fftSize, sampleRate, bands, lowest = 0, highest = sampleRate / 2 } = options;
  checkNumber('sampleRate', sampleRate, sampleRate > 0, 'a number > 0');
  checkNumber('bands', bands, Number.isInteger(bands) && bands >= 1, 'an integer >= 1');
  const upper = sampleRate / 2;
  checkNumber(
    'highest',
    highest,
    highest > lowest && highest <= upper,
    `above ${lowest}, at most ${upper}`,
  );
  checkNumber('lowest', lowest, lowest >= 0, 'a number >= 0');
  const mel = (frequency: number): number => 2595 * Math.log10(1 + frequency / 700);
  const hertz = (value: number): number => 700 * (10 ** (value / 2595) - 1);
  const [low, high] = [mel(lowest), mel(highest)];
  const corners = Array.from({ length: bands + 2 }, (_, corner) =>
    hertz(low + ((high - low) * corner) / (bands + 1)),
  );
  return Array.from({ length: bands }, (_, band) => {
    const [left, peak, right] = [corners[band]!, corners[band + 1]!, corners[band + 2]!];
    const all = Array.from({ length: fftSize / 2 + 1 }, (_, k) => {
      const frequency = (k * sampleRate) / fftSize;
      return Math.max(
        0,
        Math.min((frequency - left) / (peak - left), (right - frequency) / (right - peak)),
      );
    });
    const first = all.findIndex((weight) => weight > 0);
    if (first < 0) {
      throw new MultigradError(
        'invalid-option',
        `Option \`bands\` of a spectrogram should leave a Fourier band to each. Found none from ${left.toFixed(1)} to ` +
          `${right.toFixed(1)} Hz: use fewer than ${bands} bands or a larger \`fftSize\` than ${fftSize}.`,
      );
    }
    const last = all.findLastIndex((weight) => weight > 0);
    return { first, weights: all.slice(first, last + 1) };
  });
}

function checked(options: FrameOptions): FrameOptions {
  const { fftSize, windowSize = fftSize, hop } = options;
  const power = Number.isInteger(fftSize) && fftSize >= 2 && (fftSize & (fftSize - 1)) === 0;
  checkNumber('fftSize', fftSize, power, 'a power of two >= 2');
  const fits = Number.isInteger(windowSize) && windowSize >= 1 && windowSize <= fftSize;
  checkNumber('windowSize', windowSize, fits, `an integer from 1 to ${fftSize}`);
  checkNumber('hop', hop, Number.isInteger(hop) && hop >= 1, 'an integer >= 1');
  return options;
}

function checkNumber(name: string, found: number, fits: boolean, expected: string): void {
  if (fits) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`${name}\` of a spectrogram should be ${expected}. Found ${found}.`,
  );
}
