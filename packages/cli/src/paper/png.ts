import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ioError } from '@multigrad/core/support';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import { readFont } from './fonts.ts';

/** Pixels of a PNG for each of the picture's own: 288 dots per inch at its natural size. */
const sharpness = 3;

let started: Promise<void> | undefined;

async function startRenderer(): Promise<void> {
  const path = createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm');
  let wasm: Uint8Array<ArrayBuffer>;
  try {
    wasm = readFileSync(path);
  } catch (cause) {
    throw ioError(`read ${path}`, cause);
  }
  // The library takes the module as a promise without complaint alone.
  await initWasm(WebAssembly.compile(wasm));
}

/** Draws SVG files as PNG, with the font of exported pictures. */
export async function openPngWriter(): Promise<(svg: string) => Uint8Array> {
  started ??= startRenderer();
  await started;
  const font = readFont();
  return (svg) => {
    const picture = new Resvg(svg, {
      fitTo: { mode: 'zoom', value: sharpness },
      font: {
        fontBuffers: [font],
        defaultFontFamily: 'DejaVu Sans',
        sansSerifFamily: 'DejaVu Sans',
      },
    });
    try {
      const image = picture.render();
      try {
        return image.asPng();
      } finally {
        image.free();
      }
    } finally {
      picture.free();
    }
  };
}
