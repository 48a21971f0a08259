import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';

const emotions = ['NEU', 'HAP', 'SAD', 'FEA', 'DIS', 'ANG'];

/** A wav file of 16-bit samples at 8 kHz. */
function wav(samples: readonly number[]): Buffer {
  const bytes = Buffer.alloc(44 + 2 * samples.length);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  [16, 0x0001_0001, 8000, 16_000, 0x0010_0002].forEach((word, k) =>
    bytes.writeUInt32LE(word, 16 + 4 * k),
  );
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(2 * samples.length, 40);
  samples.forEach((sample, k) => bytes.writeInt16LE(Math.round(20_000 * sample), 44 + 2 * k));
  return bytes;
}

/** A folder in the layout of CREMA-D, with 12 clips to train on and 6 to test on. */
export async function cremaDCopy(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-crema-d-'));
  mkdirSync(join(folder, 'AudioWAV'));
  const lists: Record<string, string[]> = { 'train.csv': [], 'test.csv': [] };
  for (let clip = 0; clip < 18; clip += 1) {
    const name = `clip${clip}`;
    lists[clip < 12 ? 'train.csv' : 'test.csv']!.push(`${name},${emotions[clip % 6]!}`);
    const sound = Array.from({ length: 400 }, (_, n) => Math.sin(n * (clip + 1)));
    writeFileSync(join(folder, 'AudioWAV', `${name}.wav`), wav(sound));
    mkdirSync(join(folder, 'Image-01-FPS', name), { recursive: true });
    const background = { r: 12 * clip, g: 100, b: 50 };
    const create = { width: 40, height: 30, channels: 3, background } as const;
    for (const frame of ['frame_1.jpg', 'frame_2.jpg']) {
      await sharp({ create })
        .jpeg()
        .toFile(join(folder, 'Image-01-FPS', name, frame));
    }
  }
  for (const [list, lines] of Object.entries(lists)) {
    writeFileSync(join(folder, list), lines.join('\n'));
  }
  return folder;
}
