import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ioError } from '@multigrad/core/support';
import { readFont } from './fonts.ts';
import { loadPackage } from './load-package.ts';

/** Pixels of a PNG for each of the picture's own: 288 dots per inch at its natural size. */
const sharpness = 3;

/** The part of `@resvg/resvg-wasm` that is used here. */
interface Renderer {
  initWasm(module: Promise<WebAssembly.Module>): Promise<void>;
  readonly Resvg: new (svg: string, options: object) => Picture;
}
interface Picture {
  render(): { asPng(): Uint8Array; free(): void };
  free(): void;
}

let started: Promise<Renderer> | undefined;

/** Starts the renderer, which may be done once in a process. */
async function startRenderer(): Promise<Renderer> {
  const renderer = await loadPackage<Renderer>('@resvg/resvg-wasm', 'PNG');
  const path = createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm');
  let wasm: Uint8Array<ArrayBuffer>;
  try {
    wasm = readFileSync(path);
  } catch (cause) {
    throw ioError(`read ${path}`, cause);
  }
  await renderer.initWasm(WebAssembly.compile(wasm));
  return renderer;
}

/**
 * Opens what draws SVG files as PNG, with the font of exported pictures.
 *
 * @throws MultigradError `unsupported` where the package for it is not installed
 */
export async function openPngWriter(): Promise<(svg: string) => Uint8Array> {
  started ??= startRenderer();
  const { Resvg } = await started;
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
