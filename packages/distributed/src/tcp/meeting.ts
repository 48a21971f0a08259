import { timingSafeEqual } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { endianness } from 'node:os';
import { MultigradError } from '@multigrad/core/strategy';
import { ranksText } from '../calls.ts';
import type { Address, Head } from './frames.ts';
import { Link } from './link.ts';
import { addressText, type Place } from './place.ts';

/** Version of the frames' meaning: ranks of different versions do not meet. */
const protocol = 1;

type Hello = Extract<Head, { kind: 'hello' }>;

/** A meeting point that is open. */
export interface Meeting {
  readonly address: Address;
  /** Ends the meeting, and with it the ranks that hold on to the launcher. */
  close(): void;
}

/** What a meeting point needs to know. */
export interface MeetingOptions {
  readonly size: number;
  readonly token: string;
  readonly address: Address;
  /** Seconds in which all ranks should come. */
  readonly deadline: number;
  /** Takes the number of a rank that has ended while others needed it. */
  readonly onLost?: (rank: number) => void;
}

/**
 * Opens the point where ranks meet: each says hello, and once all are there each gets the addresses of all.
 *
 * @throws MultigradError `io` where the address cannot be opened
 */
export async function openMeeting(options: MeetingOptions): Promise<Meeting> {
  const links = new Map<number, Link>();
  const addresses: Address[] = [];
  const answer = (head: Head): void => {
    for (const link of links.values()) link.send(head);
  };
  const server = createServer((socket) => {
    const link = new Link(socket);
    void greet(link, options).then(
      ({ rank, address }) => {
        if (links.has(rank)) {
          link.send({ kind: 'refused', why: `Rank ${rank} has come already.` });
          return;
        }
        links.set(rank, link);
        addresses[rank] = address!;
        link.listen({
          frame: ({ head }) => {
            if (head.kind === 'lost') options.onLost?.(head.rank);
          },
          end: () => undefined,
        });
        if (links.size < options.size) return;
        clearTimeout(late);
        answer({ kind: 'table', addresses });
      },
      () => undefined,
    );
  });
  const late = setTimeout(() => {
    const missing = Array.from({ length: options.size }, (_, rank) => rank).filter(
      (rank) => !links.has(rank),
    );
    answer({
      kind: 'refused',
      why: `All ${options.size} ranks should come within ${options.deadline} s. Found that ${ranksText(missing)} did not.`,
    });
  }, options.deadline * 1000);
  late.unref();
  const address = await open(server, options.address);
  return {
    address,
    close: () => {
      clearTimeout(late);
      for (const link of links.values()) link.destroy();
      server.close();
    },
  };
}

/**
 * Listens; returns the address with the port that was found free.
 *
 * A host's own name often means 127.0.1.1 on the host itself: at a name of that kind it listens on all of the host's addresses.
 *
 * @throws MultigradError `io`
 */
export async function open(server: Server, { host, port }: Address): Promise<Address> {
  try {
    const everywhere = !isLoopback(host) && isLoopback((await lookup(host)).address);
    server.listen({ ...(everywhere ? {} : { host }), port, exclusive: true });
    await once(server, 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const remedy =
      code === 'EADDRINUSE'
        ? ` MULTIGRAD_MEETING=host:port, the same on every rank, names another port.`
        : '';
    throw new MultigradError(
      'io',
      `This process should take connections at ${addressText({ host, port })}. Found: ${message}.${remedy}`,
    );
  }
  const given = server.address();
  return { host, port: typeof given === 'object' && given !== null ? given.port : port };
}

/** Whether only this host is reached at a name or address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * Reads the hello of whoever connects.
 *
 * @throws whatever is wrong with it; the connection is closed, with a reason for one that knows the secret
 */
export async function greet(
  link: Link,
  { size, token }: { readonly size: number; readonly token: string },
): Promise<Hello> {
  const refuse = (why: string | null): never => {
    if (why !== null) link.send({ kind: 'refused', why });
    void link.close();
    throw new Error(why ?? 'not one of us');
  };
  const { head } = await link.next();
  if (head.kind !== 'hello' || !same(head.token, token)) return refuse(null);
  if (head.protocol !== protocol) {
    return refuse(
      `All ranks should run one version of @multigrad/distributed. Found protocol ${head.protocol} beside ${protocol}.`,
    );
  }
  if (head.bytes !== endianness()) {
    return refuse(
      `All ranks should order bytes alike. Found ${head.bytes} beside ${endianness()}.`,
    );
  }
  if (head.size !== size || !(head.rank >= 0 && head.rank < size)) {
    return refuse(`There are ${size} ranks. Found rank ${head.rank} of ${head.size}.`);
  }
  link.trust();
  return head;
}

/** The hello of a rank. */
export function helloOf({ rank, size, token }: Place, address: Address | null): Hello {
  return { kind: 'hello', protocol, token, rank, size, bytes: endianness(), address };
}

function same(given: unknown, token: string): boolean {
  if (typeof given !== 'string') return false;
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Connects; tries again until the deadline, in seconds, as the other side may start later. @throws MultigradError `io` */
export async function reach(address: Address, deadline: number): Promise<Link> {
  const end = performance.now() + deadline * 1000;
  for (let pause = 10; ; pause = Math.min(2 * pause, 1000)) {
    try {
      return await reachOnce(address, Math.max(end - performance.now(), 1));
    } catch (error) {
      if (performance.now() + pause >= end) {
        throw new MultigradError(
          'io',
          `A rank should be reached at ${addressText(address)} within ${deadline} s. Found: ${(error as Error).message}.`,
        );
      }
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function reachOnce({ host, port }: Address, milliseconds: number): Promise<Link> {
  const socket = connect({ host, port });
  const late = setTimeout(() => socket.destroy(new Error('no answer')), milliseconds);
  try {
    await once(socket, 'connect');
    return new Link(socket);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(late);
  }
}
