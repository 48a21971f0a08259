import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { decodeImage } from './decode-image.ts';

it('takes no memory for a picture that says it is larger than any', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-image-'));
  try {
    const path = join(folder, 'a.png');
    writeFileSync(path, Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a));
    const decoder = (() => ({
      metadata: () => Promise.resolve({ width: 2 ** 20, height: 2 ** 7 }),
    })) as unknown as Parameters<typeof decodeImage>[0];
    await expect(decodeImage(decoder, path, { size: 4, random: null })).rejects.toThrow(
      'a.png: expected an image. Found: 1048576 x 128 pixels, more than 67108864.',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
