import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { serveFolder, type Served, type ServeOptions } from './serve-folder.ts';

/** A page as Vite builds it for users, in a folder of its own. */
export interface BuiltPage {
  readonly files: readonly string[];
  /**
   * Serves the page.
   *
   * @returns its address, and how to end it
   */
  serve(options: ServeOptions): Promise<Served>;
  remove(): void;
}

/** What separates a page from others, so that its threads may share memory. */
export const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Builds the page in `page/` from the packages as `npm run build` made them. */
export async function buildPage(): Promise<BuiltPage> {
  const folder = mkdtempSync(join(tmpdir(), 'multigrad-page-'));
  const { output } = (await build({
    root: join(import.meta.dirname, 'page'),
    configFile: false,
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true, minify: true, target: 'es2022' },
  })) as { readonly output: readonly { readonly fileName: string }[] };
  return {
    files: output.map(({ fileName }) => fileName),
    serve: (options) => serveFolder(folder, options),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
