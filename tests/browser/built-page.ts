import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { build } from 'vite';

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

/** How a page is served. */
export interface ServeOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Paths that are not found. */
  readonly without?: RegExp;
}

/** A page that is served. */
export interface Served {
  readonly url: string;
  close(): Promise<void>;
}

/** What separates a page from others, so that its threads may share memory. */
export const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
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

async function serveFolder(
  folder: string,
  { headers = {}, without }: ServeOptions,
): Promise<Served> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = join(folder, normalize(pathname === '/' ? '/index.html' : pathname));
    if (!existsSync(file) || without?.test(pathname) === true) {
      response.writeHead(404, headers).end();
      return;
    }
    const type = types[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { 'Content-Type': type, ...headers }).end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
