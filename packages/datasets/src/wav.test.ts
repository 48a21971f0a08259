import { MultigradError } from '@multigrad/core/strategy';
import { describe, expect, it } from 'vitest';
import { wavFile } from './testing/wav-file.ts';
import { parseWav } from './wav.ts';

const ramp = [0, 0.5, -0.5, -1];

function messageOf(bytes: Uint8Array): string {
  try {
    parseWav(bytes, 'speech.wav');
  } catch (error) {
    expect(MultigradError.isInstance(error) && error.code).toBe('invalid-data');
    return (error as MultigradError).message;
  }
  throw new Error('Expected parseWav to throw.');
}

/** The file with a little-endian number written over it. */
function changed(bytes: Uint8Array, at: number, value: number, size: 2 | 4): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  if (size === 2) view.setUint16(at, value, true);
  else view.setUint32(at, value, true);
  return copy;
}

describe('parseWav', () => {
  it.each([
    [1, 8],
    [1, 16],
    [1, 24],
    [1, 32],
    [3, 32],
    [3, 64],
  ] as const)('reads samples of format %d with %d bits', (tag, bits) => {
    const { sampleRate, channels, samples } = parseWav(wavFile(ramp, { tag, bits }), 'x');
    expect([sampleRate, channels, [...samples]]).toEqual([8000, 1, ramp]);
  });

  it('takes the mean of channels, skips other chunks and reads the extensible form', () => {
    const stereo = wavFile([0.5, -0.5, 0.25, 0.75], {
      channels: 2,
      before: 'LIST',
      extensible: true,
    });
    const buffer = new Uint8Array(stereo.length + 3);
    buffer.set(stereo, 3);
    const { channels, samples } = parseWav(buffer.subarray(3), 'x');
    expect([channels, [...samples]]).toEqual([2, [0, 0.5]]);
  });

  it('says what is wrong, and where', () => {
    const good = wavFile(ramp, {});
    expect(messageOf(new Uint8Array(5))).toContain('speech.wav: expected a wav file');
    expect(messageOf(new TextEncoder().encode('ID3 this is no wav file'))).toContain(
      'Found 23 bytes that start with "ID3 "',
    );
    expect(messageOf(good.subarray(0, 50))).toBe(
      'speech.wav: expected 52 bytes, as its header says. Found 50 (the file is cut short).',
    );
    expect(messageOf(changed(good, 40, 1000, 4))).toContain(
      'expected 1000 bytes in the chunk "data". Found 8 (the file is cut short).',
    );
    expect(messageOf(changed(good, 20, 7, 2))).toContain('Found format 7 16 bits.');
    expect(messageOf(changed(good, 34, 12, 2))).toContain('Found PCM 12 bits.');
    expect(messageOf(changed(good, 22, 0, 2))).toContain('Found 0 channels at 8000 Hz.');
    expect(messageOf(changed(good, 40, 7, 4))).toContain(
      'expected a positive multiple of 2 bytes of samples. Found 7.',
    );
    expect(messageOf(wavFile([], {}))).toContain('positive multiple of 2 bytes');
    expect(messageOf(wavFile(ramp, { data: 'soup' }))).toContain(
      'expected a chunk "data" with samples. Found none.',
    );
    expect(messageOf(wavFile(ramp, { format: 'nope' }))).toContain('the chunk "fmt " first');
    expect(messageOf(wavFile([Number.NaN], { tag: 3, bits: 32 }))).toContain('NaN at sample 0');
  });
});
