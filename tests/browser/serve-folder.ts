import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

/** How a folder is served. */
export interface ServeOptions {
  /** Sent with every answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Paths that are not found. */
  readonly without?: RegExp;
}

/** A folder that is served. */
export interface Served {
  /** Ends with a slash. */
  readonly address: string;
  close(): Promise<void>;
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

/** Serves a folder's files on 127.0.0.1, as plain hosts of pages do. */
export async function serveFolder(
  folder: string,
  { headers = {}, without }: ServeOptions = {},
): Promise<Served> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const path = join(folder, decodeURIComponent(pathname).replace(/\/$/, '/index.html'));
    const found = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
    if (!found || without?.test(pathname) === true) {
      response.writeHead(404, headers).end();
      return;
    }
    const type = types[extname(path)] ?? 'application/octet-stream';
    response.writeHead(200, { 'Content-Type': type, ...headers }).end(readFileSync(path));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
