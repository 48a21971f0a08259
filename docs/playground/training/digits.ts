import { MultigradError } from '@multigrad/core/strategy';
import { type Digits, type Mnist, parseDigits } from '@multigrad/datasets';

/**
 * The digits of the bundled sample: four IDX files one after the other (images and labels to train with, images and
 * labels to test with), gzip-compressed.
 *
 * @throws MultigradError `io` where the file cannot be had, `invalid-data` where it is no such sample
 */
export async function fetchDigits(address: string): Promise<Mnist> {
  const response = await fetch(address);
  if (!response.ok || response.body === null) {
    throw new MultigradError(
      'io',
      `The sample of digits could not be loaded from ${address}: status ${response.status}.`,
    );
  }
  const plain = response.body.pipeThrough(new DecompressionStream('gzip'));
  return splitSample(new Uint8Array(await new Response(plain).arrayBuffer()));
}

/** Cuts the sample where one IDX file ends and the next begins. */
export function splitSample(bytes: Uint8Array): Mnist {
  let at = 0;
  const next = (where: string): { bytes: Uint8Array; where: string } => {
    const file = bytes.subarray(at, at + idxLength(bytes, at));
    at += file.length;
    return { bytes: file, where };
  };
  const digits = (which: string): Digits => {
    const images = next(`${which} images of the sample`);
    return parseDigits(images, next(`${which} labels of the sample`));
  };
  const train = digits('training');
  return { train, test: digits('test') };
}

/** The length of the IDX file of bytes that begins at a place: its header names its sizes. */
function idxLength(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = at + 4 <= bytes.length ? view.getUint8(at + 3) : 0;
  if (at + 4 + 4 * count > bytes.length) return bytes.length - at;
  let length = 1;
  for (let d = 0; d < count; d += 1) length *= view.getUint32(at + 4 + 4 * d);
  return 4 + 4 * count + length;
}
