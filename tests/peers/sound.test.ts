import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCremaD } from '@multigrad/datasets';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expectConstantMemory } from '@multigrad/test-support';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cremaDCopy } from '../../packages/cli/src/testing/crema-d-copy.ts';

// The sound of a clip beside what the official code makes of the same file (scripts/check-peers/sound_peer.py).

interface Case {
  readonly name: string;
  readonly rate: number;
  readonly length: number;
  readonly quiet: number;
  readonly found: {
    readonly shape: readonly number[];
    readonly columns: Readonly<Record<string, readonly number[]>>;
  };
}
const { cases } = JSON.parse(readFileSync(join(import.meta.dirname, 'sound.json'), 'utf8')) as {
  readonly cases: readonly Case[];
};

/** A wav file of the same noise as the other side makes: 16-bit numbers, by integers alone. */
function madeFile({ rate, length, quiet }: Case): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(44 + 2 * length));
  const text = (at: number, word: string): void =>
    new TextEncoder().encode(word).forEach((byte, k) => bytes.setUint8(at + k, byte));
  text(0, 'RIFF');
  bytes.setUint32(4, 36 + 2 * length, true);
  text(8, 'WAVEfmt ');
  [16, 0x0001_0001, rate, 2 * rate, 0x0010_0002].forEach((word, k) =>
    bytes.setUint32(16 + 4 * k, word, true),
  );
  text(36, 'data');
  bytes.setUint32(40, 2 * length, true);
  let state = 1;
  for (let n = 0; n < length; n += 1) {
    state = (75 * state + 74) % 65_537;
    const sample = Math.floor(((state - 32_768) * (1 + (Math.floor(n / 1000) % 8))) / (8 * quiet));
    bytes.setInt16(44 + 2 * n, Math.max(-32_768, Math.min(32_767, sample)), true);
  }
  return new Uint8Array(bytes.buffer);
}

let folder = '';
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = await cremaDCopy();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the spectrogram of a clip of CREMA-D', () => {
  it.each(cases)('is that of the official code: $name', async (given) => {
    await expectConstantMemory(async () => {
      // The first clip of the test list.
      writeFileSync(join(folder, 'AudioWAV', 'clip12.wav'), madeFile(given));
      const { test } = await readCremaD({ folder, frameSize: 8 });
      const batch = await test.batch(Int32Array.of(0), { epoch: 0 });
      const [bands, frames] = batch.audio.shape.slice(1) as [number, number];
      expect([bands, frames]).toEqual(given.found.shape);
      const values = await batch.audio.data();
      tf.dispose(batch);
      // Another filter resamples there: what it lets through near the end of the band differs.
      const same = given.rate === 22_050;
      const highest = same ? bands : Math.floor((bands * 0.9 * given.rate) / 22_050);
      for (const [column, expected] of Object.entries(given.found.columns)) {
        const differences = expected
          .slice(0, highest)
          .map((value, band) => Math.abs(values[band * frames + Number(column)]! - value));
        // Logarithms, in which a difference is relative; single bands of noise are nearly silent.
        differences.sort((a, b) => a - b);
        const at = (share: number): number => differences[Math.floor(share * (highest - 1))]!;
        expect(at(0.5), `column ${column}`).toBeLessThan(same ? 1e-5 : 2e-3);
        expect(at(1), `column ${column}`).toBeLessThan(same ? 1e-3 : 0.1);
      }
    });
  });
});
