import { readFileSync } from 'node:fs';
import { ioError } from '@multigrad/core/support';

/** The family that exported pictures name: that of the font that comes with this package, then what most readers have. */
export const pictureFont = "'DejaVu Sans', Verdana, Helvetica, Arial, sans-serif";

/**
 * The font of exported pictures, a TrueType file: the same on every machine, so that pictures are.
 *
 * @throws MultigradError `io` where it is not there
 */
export function readFont(): Uint8Array {
  // From `src/paper` as from `dist/paper`.
  const address = new URL('../../fonts/chart-sans.ttf', import.meta.url);
  try {
    return readFileSync(address);
  } catch (cause) {
    throw ioError(`read the font of pictures, ${address.pathname}`, cause);
  }
}
