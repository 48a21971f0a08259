import { writeSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import process from 'node:process';
import { type MessagePort, workerData } from 'node:worker_threads';
import type { Address } from '../tcp/frames.ts';
import { Link } from '../tcp/link.ts';
import { greet, helloOf, open, reach } from '../tcp/meeting.ts';
import type { Call } from '../calls.ts';
import { killAfter, Watcher, type WatchTimes } from './watcher.ts';

// The thread that watches the ranks of MPI: it gives signs of life while the rank's own thread computes or waits in MPI.

/** What the thread begins with. */
export interface WatchData {
  readonly rank: number;
  readonly size: number;
  readonly times: WatchTimes;
  /** The job's secret: connections that do not know it are closed. */
  readonly token: string;
  readonly port: MessagePort;
  /** The number of the call in which the rank waits, 0 for none; 1 once it has taken the news of a failure. */
  readonly state: Int32Array;
}

/** From a rank to its thread. */
export type ToWatch =
  | { readonly kind: 'join'; readonly addresses: readonly Address[]; readonly seconds: number }
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'close' };

/** From a thread to its rank. */
export type FromWatch =
  | { readonly kind: 'opened'; readonly addresses: readonly Address[] }
  | { readonly kind: 'joined'; readonly problem: string | null }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'failed'; readonly text: string; readonly ends: boolean }
  | { readonly kind: 'closed' };

const { rank, size, times, token, port, state } = workerData as WatchData;
const tell = (message: FromWatch): void => port.postMessage(message);
const links = new Map<number, Link>();
let server: Server | null = null;
let watcher: Watcher | null = null;
let call: Call | null = null;
let complete: () => void = () => undefined;

/** Takes the connections of all other ranks. @returns the addresses at which they may be tried */
async function listen(): Promise<readonly Address[]> {
  server = createServer((socket) => {
    const link = new Link(socket);
    void greet(link, { size, token }).then(
      (hello) => {
        links.set(hello.rank, link);
        link.send({ kind: 'welcome' });
        if (links.size === size - 1) complete();
      },
      () => undefined,
    );
  });
  const { port: number } = await open(server, { host: '0.0.0.0', port: 0 });
  const own = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
  const hosts = own.filter(({ family, internal }) => family === 'IPv4' && !internal).slice(0, 16);
  return [...hosts.map(({ address }) => address), '127.0.0.1'].map((host) => ({
    host,
    port: number,
  }));
}

/** Connects with rank 0 at one of its addresses. */
async function connect(addresses: readonly Address[], seconds: number): Promise<void> {
  const place = { rank, size, token, meeting: addresses[0]!, opener: 'rank 0' } as const;
  let last = new Error('no address of rank 0 answered');
  for (const address of addresses) {
    try {
      // Rank 0 takes connections already: an address that does not answer soon is none of its own.
      const most = Math.min(5, seconds / addresses.length);
      const link = await reach(address, most);
      const late = setTimeout(() => link.destroy(), most * 1000);
      link.send(helloOf(place, null));
      const { head } = await link.next();
      clearTimeout(late);
      if (head.kind === 'welcome') {
        links.set(0, link);
        return;
      }
    } catch (error) {
      last = error as Error;
    }
  }
  throw last;
}

async function join(addresses: readonly Address[], seconds: number): Promise<void> {
  if (rank > 0) await connect(addresses, seconds);
  else if (links.size < size - 1) {
    await new Promise<void>((resolve, reject) => {
      complete = resolve;
      setTimeout(
        () => reject(new Error(`${size - 1 - links.size} ranks did not connect`)),
        seconds * 1000,
      );
    });
  }
}

/** Where the rank's own thread is blocked within MPI, it cannot end the job: the process ends, and its launcher all others. */
function fail(text: string, ends: boolean): void {
  tell({ kind: 'failed', text, ends });
  setTimeout(
    () => {
      if (Atomics.load(state, 1) === 1) return;
      writeSync(2, `multigrad: ${text}\n`);
      process.kill(process.pid, 'SIGKILL');
    },
    (ends ? 0 : killAfter) + 1000,
  );
}

port.on('message', (message: ToWatch) => {
  if (message.kind === 'call') ({ call } = message);
  else if (message.kind === 'join') {
    void join(message.addresses, message.seconds).then(
      () => {
        watcher = new Watcher(
          rank,
          links,
          times,
          { fail, note: (text) => tell({ kind: 'note', text }) },
          () => (call !== null && Atomics.load(state, 0) === call.number ? call : null),
        );
        tell({ kind: 'joined', problem: null });
      },
      (error: unknown) => tell({ kind: 'joined', problem: (error as Error).message }),
    );
  } else {
    void Promise.resolve(watcher?.close()).then(() => {
      server?.close();
      for (const link of links.values()) link.destroy();
      tell({ kind: 'closed' });
    });
  }
});
void (rank === 0 ? listen() : Promise.resolve([])).then((addresses) => {
  tell({ kind: 'opened', addresses });
});
