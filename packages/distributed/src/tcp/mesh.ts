import { createServer } from 'node:net';
import { MultigradError } from '@multigrad/core/strategy';
import {
  type Call,
  callText,
  lateText,
  ranksText,
  silentText,
  unlikeText,
  waitingText,
  WakeClock,
} from '../calls.ts';
import type { Address, Frame, Head } from './frames.ts';
import { Link } from './link.ts';
import { greet, helloOf, isLoopback, open, openMeeting, reach } from './meeting.ts';
import { addressText, type Place } from './place.ts';

/** How long ranks wait for each other, in seconds. */
export interface Patience {
  /** Without any sign of life from a rank that is waited for. */
  readonly silence: number;
  /** For a rank that is alive but does not come to the call that the others make. */
  readonly patience: number;
  /** For all ranks to start and connect. */
  readonly start: number;
}

/** What happens to a mesh from outside. */
export interface MeshEvents {
  /** Another rank has ended all ranks. */
  readonly abort: (exitCode: number, rank: number) => void;
  /** A rank that is alive keeps the others waiting. */
  readonly note: (text: string) => void;
  /** The launcher has ended before this rank: nobody else sees to it that this process ends. */
  readonly orphaned: () => void;
}

/** What is waited for: one rank's part of a round of a call. */
interface Wait {
  readonly call: Call;
  readonly round: number;
  readonly from: number;
  /** Seconds of the mesh's clock. */
  readonly since: number;
  readonly resolve: (body: Uint8Array<ArrayBuffer>) => void;
  readonly reject: (error: MultigradError) => void;
}

/** What is known of another rank. */
interface Peer {
  readonly rank: number;
  readonly link: Link;
  /** When something came from it, in seconds of the mesh's clock. */
  heard: number;
  /** The newest call that it is known to have made. */
  call: number;
  /** What it waits for, as its last sign of life says. */
  waitsFor: string | null;
  left: boolean;
}

/** Seconds in which a rank should reach its launcher: networks may need a moment. */
const launcherWait = 10;

/** Parts that came before this rank asked for them, by call, round and rank. */
type Inbox = Map<string, Frame>;

/**
 * The connections of a rank to all others.
 *
 * Each connection carries parts of calls and, every second, a sign of life. A failure of one rank becomes a failure of
 * all, with the same message; after it every call fails with that message.
 */
export class Mesh {
  readonly rank: number;
  readonly size: number;
  readonly #peers: ReadonlyMap<number, Peer>;
  readonly #launcher: Link;
  readonly #times: Patience;
  readonly #events: MeshEvents;
  readonly #inbox: Inbox = new Map();
  readonly #waits = new Set<Wait>();
  readonly #beats: NodeJS.Timeout;
  #failure: MultigradError | null = null;
  #call: Call = { number: 0, form: 'start', what: 'start' };
  readonly #clock = new WakeClock();
  #noted = 0;
  #closing = false;

  private constructor(
    { rank, size, opener }: Place,
    links: ReadonlyMap<number, Link>,
    launcher: Link,
    times: Patience,
    events: MeshEvents,
  ) {
    this.rank = rank;
    this.size = size;
    this.#launcher = launcher;
    this.#times = times;
    this.#events = events;
    this.#peers = new Map(
      Array.from(links, ([other, link]) => [
        other,
        { rank: other, link, heard: 0, call: 0, waitsFor: null, left: false },
      ]),
    );
    for (const peer of this.#peers.values()) {
      peer.link.listen({
        frame: (frame) => this.#take(peer, frame),
        end: (reason) => this.#lost(peer, reason),
      });
    }
    launcher.listen({
      frame: () => undefined,
      end: () => {
        if (this.#closing || opener === 'rank 0') return;
        this.#fail('The launcher of this job has ended.');
        events.orphaned();
      },
    });
    this.#beats = setInterval(() => this.#tick(), 1000);
  }

  /**
   * Meets the other ranks, and connects with each of them.
   *
   * @throws MultigradError `io` where a rank does not come in time
   */
  static async join(place: Place, times: Patience, events: MeshEvents): Promise<Mesh> {
    const { rank, size, token } = place;
    const meeting =
      place.opener === 'rank 0' && rank === 0
        ? await openMeeting({ size, token, address: place.meeting, deadline: times.start })
        : null;
    // A launcher opens the meeting point before it starts the ranks: where nobody is there, it has ended.
    const wait = place.opener === 'launcher' ? Math.min(times.start, launcherWait) : times.start;
    const launcher = await reach(place.meeting, wait);
    const links = new Map<number, Link>();
    let all: () => void = () => undefined;
    const later = new Promise<void>((resolve) => (all = resolve));
    const above = size - 1 - rank;
    const server = createServer((socket) => {
      const link = new Link(socket);
      void greet(link, place).then(
        (hello) => {
          links.set(hello.rank, link);
          link.send({ kind: 'welcome' });
          if ([...links.keys()].filter((other) => other > rank).length === above) all();
        },
        () => undefined,
      );
    });
    // On the host of the meeting point itself the others know this one by that name.
    const host = isLoopback(launcher.localHost) ? place.meeting.host : launcher.localHost;
    const own = await open(server, { host, port: 0 });
    const table = tableOf(launcher, helloOf(place, own));
    const addresses = await within(table, times.start + 5, () => noTable(place));
    await Promise.all([
      ...addresses.slice(0, rank).map(async (address, other) => {
        const link = await reach(address, times.start);
        // Its address comes from the meeting, which knows the secret; numbers may follow right behind its welcome.
        link.trust();
        link.send(helloOf(place, null));
        const { head } = await link.next();
        if (head.kind !== 'welcome') {
          throw new MultigradError('io', `Rank ${other} refused the connection: ${refusal(head)}`);
        }
        links.set(other, link);
      }),
      above > 0 ? within(later, times.start, () => missing(links, place)) : undefined,
    ]);
    server.close();
    meeting?.close();
    return new Mesh(place, links, launcher, times, events);
  }

  /** Begins a call: parts are sent and awaited under its number. @throws MultigradError after a failure */
  begin(form: string, what: string): Call {
    if (this.#failure !== null) throw this.#failure;
    this.#call = { number: this.#call.number + 1, form, what };
    return this.#call;
  }

  /** Sends this rank's part of a round to another rank. The numbers must not change until the call has ended. */
  send(to: number, { number, form, what }: Call, round: number, body: Uint8Array): void {
    this.#peers.get(to)!.link.send({ kind: 'part', call: number, round, form, what }, body);
  }

  /** Another rank's part of a round. @throws MultigradError where it does not come */
  async receive(from: number, call: Call, round: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#failure !== null) throw this.#failure;
    return new Promise((resolve, reject) => {
      const wait: Wait = { call, round, from, since: this.#clock.seconds, resolve, reject };
      const key = keyOf(call.number, round, from);
      const early = this.#inbox.get(key);
      this.#inbox.delete(key);
      this.#waits.add(wait);
      if (early !== undefined) this.#deliver(wait, early);
      else if (this.#peers.get(from)!.left) this.#fail(leftText(from, this.#where(call)));
    });
  }

  /** Tells all ranks to end with this exit code; resolves when that is sent. */
  async abort(exitCode: number): Promise<void> {
    this.#closing = true;
    await this.#closeWith({ kind: 'abort', exitCode });
  }

  /** Leaves: the last call. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#closeWith({ kind: 'bye' });
  }

  async #closeWith(head: Head): Promise<void> {
    clearInterval(this.#beats);
    const links = Array.from(this.#peers.values(), ({ link }) => link);
    for (const link of links) link.send(head);
    await Promise.all([...links, this.#launcher].map(async (link) => link.close()));
  }

  #take(peer: Peer, frame: Frame): void {
    const { head } = frame;
    peer.heard = this.#clock.seconds;
    if (head.kind === 'part') {
      peer.call = Math.max(peer.call, head.call);
      peer.waitsFor = null;
      for (const wait of this.#waits) {
        if (wait.from !== peer.rank || wait.call.number !== head.call || wait.round !== head.round)
          continue;
        this.#deliver(wait, frame);
        return;
      }
      if (head.call < this.#call.number) {
        this.#fail(
          unlikeText(this.rank, `no call ${head.call} of that kind`, peer.rank, head.form),
        );
      } else this.#inbox.set(keyOf(head.call, head.round, peer.rank), frame);
    } else if (head.kind === 'beat') {
      peer.call = Math.max(peer.call, head.call);
      peer.waitsFor = head.waitsFor;
    } else if (head.kind === 'failed') {
      this.#failWith(new MultigradError('io', head.message));
    } else if (head.kind === 'abort') {
      const { exitCode } = head;
      // First: the process ends with this code before its program can end with that of an error.
      this.#events.abort(exitCode, peer.rank);
      const message = `Rank ${peer.rank} ended all ranks with exit code ${exitCode}.`;
      this.#failWith(new MultigradError('io', message));
    } else if (head.kind === 'bye') {
      peer.left = true;
      const wait = [...this.#waits].find(({ from }) => from === peer.rank);
      if (wait !== undefined) this.#fail(leftText(peer.rank, this.#where(wait.call)));
    }
  }

  #deliver(wait: Wait, { head, body }: Frame): void {
    this.#waits.delete(wait);
    const { form } = head as Extract<Head, { kind: 'part' }>;
    if (form === wait.call.form) {
      wait.resolve(body);
      return;
    }
    const { message } = this.#fail(unlikeText(this.rank, wait.call.form, wait.from, form));
    wait.reject(new MultigradError('interleaved-call', message));
  }

  #lost(peer: Peer, reason: string): void {
    if (peer.left || this.#closing) return;
    // The first rank to fail decides the job's exit code; the launcher may see the others end before it.
    if (this.#failure === null) this.#launcher.send({ kind: 'lost', rank: peer.rank });
    const why = reason === '' ? 'Its own output says why' : reason;
    this.#fail(`Rank ${peer.rank} has ended, while ${this.#where(this.#call)}. ${why}.`);
  }

  /** Sends a sign of life, and looks for ranks that are late. */
  #tick(): void {
    this.#clock.tick();
    const [first] = this.#waits;
    const waitsFor = first === undefined ? null : callText(first.call);
    for (const { link, left } of this.#peers.values()) {
      if (!left) link.send({ kind: 'beat', call: this.#call.number, waitsFor });
    }
    if (first === undefined) return;
    const late = [...new Set(Array.from(this.#waits, ({ from }) => from))].map((rank) =>
      this.#peers.get(rank)!,
    );
    const waited = this.#clock.seconds - first.since;
    const { silence, patience } = this.#times;
    const silent = late.filter(({ heard }) => this.#clock.seconds - heard >= silence);
    if (waited >= silence && silent.length > 0) {
      this.#fail(
        silentText(
          silent.map(({ rank }) => rank),
          silence,
          `, while ${this.#where(first.call)}`,
        ),
      );
    } else if (waited >= patience) {
      this.#fail(`${this.#lateText(late)} for ${patience} s: ${this.#where(first.call)}.`);
    } else if (waited >= silence && this.#noted !== first.call.number) {
      this.#noted = first.call.number;
      this.#events.note(waitingText(this.#lateText(late), late.length, silence));
    }
  }

  #lateText(late: readonly Peer[]): string {
    const behind = late.filter(({ call }) => call < this.#call.number);
    const named = behind.length > 0 ? behind : late;
    return lateText(
      named.map(({ rank }) => rank),
      this.#call,
    );
  }

  #where(call: Call): string {
    return `rank ${this.rank} is at ${callText(call)}`;
  }

  /** Fails on this rank and on all others. */
  #fail(message: string): MultigradError {
    if (this.#failure === null) {
      for (const { link, left } of this.#peers.values()) {
        if (!left) link.send({ kind: 'failed', message });
      }
    }
    return this.#failWith(new MultigradError('io', message));
  }

  #failWith(error: MultigradError): MultigradError {
    this.#failure ??= error;
    for (const { reject } of this.#waits) reject(this.#failure);
    this.#waits.clear();
    return this.#failure;
  }
}

function keyOf(call: number, round: number, from: number): string {
  return `${call} ${round} ${from}`;
}

function leftText(rank: number, where: string): string {
  return `Rank ${rank} has left, while ${where}: all ranks should make the same calls.`;
}

/** Says hello at the meeting point, and waits for the addresses of all ranks. @throws MultigradError `io` */
async function tableOf(launcher: Link, hello: Head): Promise<readonly Address[]> {
  launcher.send(hello);
  let head: Head;
  try {
    ({ head } = await launcher.next());
  } catch (error) {
    throw new MultigradError(
      'io',
      `The ranks should meet. Found that the meeting point closed the connection: ${(error as Error).message}. ` +
        'Is MULTIGRAD_TOKEN the same on every rank?',
    );
  }
  if (head.kind === 'table') return head.addresses;
  throw new MultigradError('io', refusal(head));
}

function refusal(head: Head): string {
  return head.kind === 'refused' ? head.why : `found a frame of kind ${head.kind}.`;
}

function missing(links: ReadonlyMap<number, Link>, { rank, size }: Place): string {
  const lacking = Array.from({ length: size }, (_, other) => other).filter(
    (other) => other > rank && !links.has(other),
  );
  return `All ranks should connect with rank ${rank}. Found that ${ranksText(lacking)} did not.`;
}

function noTable({ meeting }: Place): string {
  return `The ranks should meet at ${addressText(meeting)}. Found a program that does not answer there: is the port another one's?`;
}

/** @throws MultigradError `io` with the text where the promise takes longer than so many seconds */
async function within<T>(promise: Promise<T>, seconds: number, text: () => string): Promise<T> {
  let late: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        late = setTimeout(() => reject(new MultigradError('io', text())), seconds * 1000);
      }),
    ]);
  } finally {
    clearTimeout(late);
  }
}
