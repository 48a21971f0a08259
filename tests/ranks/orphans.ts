import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { root } from './launched.ts';

/** The program. */
export const program: string = join(root, 'tests/ranks/programs/orphan.mjs');

/** The ranks of a job that runs `programs/orphan.mjs`, by what they tell this process. */
export interface Orphans {
  readonly port: number;
  /** Waits until each of so many ranks has said something that fits; returns what was said. */
  said(ranks: number, pattern: RegExp): Promise<readonly string[]>;
  /** Lets ranks go on that wait for it. */
  goOn(): void;
  /** Waits until no rank is left, and returns all that they said. */
  ended(): Promise<string>;
  /** Kills those that a test has left. */
  close(): void;
}

/** Listens for ranks. */
export async function listenForRanks(): Promise<Orphans> {
  const sockets = new Map<Socket, string>();
  const changed = new Set<() => void>();
  const look = (): void => {
    for (const one of changed) one();
  };
  const server = createServer((socket) => {
    sockets.set(socket, '');
    socket.on('data', (data) => {
      sockets.set(socket, sockets.get(socket)! + data.toString());
      look();
    });
    // One that is killed may reset its connection.
    socket.on('error', () => undefined);
    socket.on('close', look);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const when = async (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!holds()) return;
        changed.delete(check);
        resolve();
      };
      changed.add(check);
      check();
    });
  const all = (): string[] => [...sockets.values()];
  return {
    port: (server.address() as { port: number }).port,
    said: async (ranks, pattern) => {
      await when(() => all().filter((text) => pattern.test(text)).length === ranks);
      return all();
    },
    goOn: () => {
      for (const socket of sockets.keys()) socket.write('go on\n');
    },
    ended: async () => {
      await when(() => [...sockets.keys()].every(({ destroyed }) => destroyed));
      return all().join('');
    },
    close: () => {
      for (const pid of pidsOf(all())) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended, as it should.
        }
      }
      for (const socket of sockets.keys()) socket.destroy();
      server.close();
    },
  };
}

/** The numbers of the processes that have said so. */
export function pidsOf(said: readonly string[]): number[] {
  return said.map((text) => Number(/started (\d+)/.exec(text)![1]));
}
