import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError } from '@multigrad/core/support';
import { Broadcast } from './broadcast.ts';
import type { LivePageSource } from './live-page.ts';
import { icon, pageHtml, pageModule, pageModules, pageStyle } from './page.ts';

/** A page that is being served. */
export interface PageServer {
  /** Where a browser on this machine finds it. */
  readonly url: string;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** How a page is served. */
export interface ServeOptions {
  /** 0 for one that is free. */
  readonly port: number;
  /** Milliseconds between two looks at the files. */
  readonly interval: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const host = '127.0.0.1';

// The browser loads and runs only what this server sends, so that a run whose name is a script cannot run it, and no other
// page may embed this one.
const headers = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
} as const;

interface Document {
  readonly type: string;
  readonly text: string;
}

/** Every document that is served, by its path. A request never names a file. */
function documentsByPath(): ReadonlyMap<string, Document> {
  const javascript = 'text/javascript; charset=utf-8';
  return new Map<string, Document>([
    ['/', { type: 'text/html; charset=utf-8', text: pageHtml }],
    ...pageModules.map(
      (name) => [`/${name}`, { type: javascript, text: pageModule(name) }] as const,
    ),
    ['/page.css', { type: 'text/css; charset=utf-8', text: pageStyle() }],
    ['/icon.svg', { type: 'image/svg+xml', text: icon }],
  ]);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { ...headers, 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${why}\n`);
}

/**
 * Whether a request names this server as its host. A page of another site can make its own name point at
 * this machine (DNS rebinding); the name then stands in the request.
 */
function isOurs({ headers: { host: asked, origin } }: IncomingMessage, port: number): boolean {
  const names = [`${host}:${port}`, `localhost:${port}`];
  if (asked === undefined || !names.includes(asked)) return false;
  return origin === undefined || names.some((name) => origin === `http://${name}`);
}

/**
 * Serves the live page of an output folder on this machine alone.
 *
 * @throws MultigradError `io` where the port is taken, or the page's script is not there
 */
export async function servePage(
  source: LivePageSource,
  { port, interval, now }: ServeOptions,
): Promise<PageServer> {
  const documents = documentsByPath();
  const broadcast = new Broadcast(source, interval, now);
  let ownPort = port;
  const server = createServer((request, response) => {
    if (!isOurs(request, ownPort)) {
      refuse(response, 403, `This page is served to http://${host}:${ownPort} alone.`);
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      refuse(response, 405, 'This page can only be read.');
      return;
    }
    const document = documents.get(request.url ?? '');
    if (document !== undefined) {
      response.writeHead(200, { ...headers, 'Content-Type': document.type });
      response.end(request.method === 'HEAD' ? undefined : document.text);
    } else if (request.url === '/events' && request.method === 'GET') {
      response.writeHead(200, { ...headers, 'Content-Type': 'text/event-stream' });
      broadcast.add(response);
    } else {
      refuse(response, 404, 'There is nothing here but the page itself.');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(ioError(`serve on port ${port}`, cause)));
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new MultigradError('io', `Cannot serve on port ${port}: the system gave no address.`);
  }
  ownPort = (address satisfies AddressInfo).port;
  return {
    url: `http://${host}:${ownPort}/`,
    close: async () => {
      broadcast.close();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}
