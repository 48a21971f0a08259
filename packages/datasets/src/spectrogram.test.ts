import { describe, expect, it } from 'vitest';
import { addWhiteNoise, meanSquare, resample } from './audio-signal.ts';
import { logMelSpectrogram, magnitudeSpectrogram } from './spectrogram.ts';

const tone = (frequency: number, rate: number, length: number): Float32Array =>
  Float32Array.from({ length }, (_, n) => Math.sin((2 * Math.PI * frequency * n) / rate));

/** Irregular numbers between −1 and 1. */
const signal = Float32Array.from({ length: 700 }, (_, n) => Math.sin(n * n));

/** The magnitude of one band of one frame by the definition. */
function magnitude(
  frame: (n: number) => number,
  fftSize: number,
  windowSize: number,
  k: number,
): number {
  const margin = Math.floor((fftSize - windowSize) / 2);
  let [real, imaginary] = [0, 0];
  for (let n = 0; n < windowSize; n++) {
    const weighted = (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / windowSize)) * frame(margin + n);
    real += weighted * Math.cos((2 * Math.PI * k * (margin + n)) / fftSize);
    imaginary -= weighted * Math.sin((2 * Math.PI * k * (margin + n)) / fftSize);
  }
  return Math.sqrt(real ** 2 + imaginary ** 2);
}

describe('magnitudeSpectrogram', () => {
  it.each([
    { fftSize: 64, hop: 30, windowSize: 64, centred: false },
    { fftSize: 64, hop: 30, windowSize: 41, centred: false },
    { fftSize: 128, hop: 100, windowSize: 128, centred: true },
  ])('is the windowed Fourier transform: %j', (options) => {
    const { fftSize, hop, windowSize, centred } = options;
    const { height, width, values } = magnitudeSpectrogram(signal, options);
    expect(height).toBe(fftSize / 2 + 1);
    expect(width).toBe(1 + Math.floor((centred ? 700 : 700 - fftSize) / hop));
    for (const column of [0, 1, width - 1]) {
      const start = column * hop - (centred ? fftSize / 2 : 0);
      for (const k of [0, 1, 7, fftSize / 2]) {
        const expected = magnitude((n) => signal[start + n] ?? 0, fftSize, windowSize, k);
        expect(values[k * width + column]).toBeCloseTo(expected, 4);
      }
    }
  });

  it('has the shape of the official audio-visual code for three seconds at 22,050 Hz', () => {
    const three = new Float32Array(3 * 22_050);
    const { height, width } = magnitudeSpectrogram(three, {
      fftSize: 512,
      hop: 353,
      centred: true,
    });
    expect([height, width]).toEqual([257, 188]);
  });

  it('refuses sizes out of range and signals shorter than a frame', () => {
    const make = (options: object) => () =>
      magnitudeSpectrogram(signal, { fftSize: 64, hop: 32, ...options });
    expect(make({ fftSize: 48 })).toThrow(
      'Option `fftSize` of a spectrogram should be a power of two >= 2. Found 48.',
    );
    expect(make({ hop: 0 })).toThrow('`hop`');
    expect(make({ windowSize: 65 })).toThrow('an integer from 1 to 64');
    expect(make({ fftSize: 1024 })).toThrow('at least the 1024 samples of a frame. Found 700.');
  });
});

describe('logMelSpectrogram', () => {
  const options = { sampleRate: 8000, fftSize: 512, hop: 200, bands: 32 };

  it('hears a tone in the band whose centre is nearest, and silence as zero', () => {
    const mel = (f: number): number => 2595 * Math.log10(1 + f / 700);
    for (const frequency of [300, 1000, 3000]) {
      const { height, width, values } = logMelSpectrogram(tone(frequency, 8000, 2000), options);
      const column = Array.from({ length: height }, (_, band) => values[band * width + 3]!);
      const loudest = column.indexOf(Math.max(...column));
      expect(Math.abs(loudest + 1 - (33 * mel(frequency)) / mel(4000))).toBeLessThan(1);
    }
    expect(logMelSpectrogram(new Float32Array(600), options).values.every((v) => v === 0)).toBe(
      true,
    );
  });

  it('weighs squared magnitudes by triangles', () => {
    const { width, values } = logMelSpectrogram(signal, { ...options, bands: 1 });
    const fine = magnitudeSpectrogram(signal, options);
    // One triangle from 0 to 4000 Hz with its peak in the middle of the mel scale.
    const peak = 700 * (10 ** (Math.log10(1 + 4000 / 700) / 2) - 1);
    let sum = 0;
    for (let k = 0; k <= 256; k++) {
      const f = (k * 8000) / 512;
      sum += Math.min(f / peak, (4000 - f) / (4000 - peak)) * fine.values[k * fine.width]! ** 2;
    }
    expect(width).toBe(1);
    expect(values[0]).toBeCloseTo(Math.log1p(sum), 5);
  });

  it('refuses more bands than frequencies can tell apart', () => {
    expect(() => logMelSpectrogram(signal, { ...options, fftSize: 64, bands: 60 })).toThrow(
      'use fewer than 60 bands or a larger `fftSize` than 64.',
    );
    expect(() => logMelSpectrogram(signal, { ...options, highest: 5000 })).toThrow('`highest`');
    expect(() => logMelSpectrogram(signal, { ...options, bands: 0 })).toThrow('`bands`');
  });
});

describe('resample', () => {
  it.each([
    [16_000, 22_050],
    [22_050, 8000],
  ])('keeps a tone in the middle of the signal, from %d to %d Hz', (from, to) => {
    const found = resample(tone(500, from, from / 10), from, to);
    const expected = tone(500, to, found.length);
    expect(found.length).toBe(Math.ceil(to / 10));
    for (let n = 200; n < found.length - 200; n++) {
      expect(Math.abs(found[n]! - expected[n]!)).toBeLessThan(5e-3);
    }
  });

  it('takes out what the new rate cannot carry', () => {
    const found = resample(tone(7000, 22_050, 4410), 22_050, 8000);
    expect(meanSquare(found.subarray(100, -100))).toBeLessThan(1e-4);
    expect(resample(signal, 22_050, 8000, 100)).toEqual(
      resample(signal, 22_050, 8000).slice(0, 100),
    );
    // However few samples a second a header claims, no more work is done than was asked for.
    expect(resample(signal.slice(0, 1000), 1, 22_050, 50)).toHaveLength(50);
    expect(() => resample(signal, 0, 8000)).toThrow('a number > 0. Found 0.');
  });
});

describe('addWhiteNoise', () => {
  it('has the power that was asked for, and is the same for the same words', () => {
    const clean = tone(440, 8000, 20_000);
    for (const snr of [-10, 0, 20]) {
      const noise = addWhiteNoise(clean, snr, [1, 'a']).map((value, n) => value - clean[n]!);
      const ratio = meanSquare(clean) / meanSquare(noise);
      // The mean of 20,000 squared normals has a standard deviation of one per cent.
      expect(Math.abs(10 * Math.log10(ratio) - snr)).toBeLessThan(0.25);
    }
    expect(addWhiteNoise(clean, 0, [1, 'a'])).toEqual(addWhiteNoise(clean, 0, [1, 'a']));
    expect(addWhiteNoise(clean, 0, [1, 'a'])).not.toEqual(addWhiteNoise(clean, 0, [1, 'b']));
    expect(() => addWhiteNoise(clean, Number.NaN, [1])).toThrow('`snr`');
  });
});
