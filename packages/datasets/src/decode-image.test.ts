import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeImage, loadDecoder } from './decode-image.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-image-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A picture of 8 x 6 pixels that says of itself to be another size. */
async function pictureThatSays(width: number, height: number): Promise<Buffer> {
  const create = { width: 8, height: 6, channels: 3 as const, background: { r: 9, g: 99, b: 200 } };
  const bytes = await sharp({ create }).png().toBuffer();
  // The header's length, its name, its content and the checksum of both.
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  return bytes;
}

describe('decodeImage', () => {
  it.each([
    [2 ** 20, 2 ** 7, '1048576 x 128 pixels, more than 67108864.'],
    [2 ** 17, 4, '131072 x 4 pixels, a side of more than 65536.'],
    [8000, 8000, '8000 x 8000 pixels in a file that can hold'],
  ])(
    'takes no memory for a picture of a few bytes that says to be %i x %i',
    async (width, height, message) => {
      const path = join(folder, 'a.png');
      writeFileSync(path, await pictureThatSays(width, height));
      const decoding = decodeImage(await loadDecoder(), path, { size: 4, random: null });
      await expect(decoding).rejects.toMatchObject({
        code: 'invalid-data',
        message: expect.stringContaining(`a.png: expected an image. Found: ${message}`) as string,
      });
    },
  );

  it('decodes a picture that is compressed as far as PNG goes', async () => {
    const path = join(folder, 'plain.png');
    const create = {
      width: 8000,
      height: 4000,
      channels: 3 as const,
      background: { r: 0, g: 0, b: 0 },
    };
    writeFileSync(path, await sharp({ create }).png().toBuffer());
    const pixels = await decodeImage(await loadDecoder(), path, { size: 2, random: null });
    expect(pixels).toHaveLength(12);
    expect(pixels[0]).toBeCloseTo(-0.485 / 0.229, 5);
  });
});
