import {
  type Call,
  callText,
  lateText,
  silentText,
  unlikeText,
  waitingText,
  WakeClock,
} from '../calls.ts';
import type { Link } from '../tcp/link.ts';

/** How long a rank waits, in seconds. */
export interface WatchTimes {
  /** Without any sign of life from a rank that is waited for. */
  readonly silence: number;
  /** For a rank that is alive but does not come. */
  readonly patience: number;
}

/** What a watcher finds. */
export interface WatchEvents {
  /** The job cannot go on. @param ends - whether this rank is the one that ends it: where several call `MPI_Abort`, `mpirun` may
   * fail, and leave a rank behind */
  readonly fail: (message: string, ends: boolean) => void;
  /** A rank that is alive keeps the others waiting. */
  readonly note: (text: string) => void;
}

interface Peer {
  readonly rank: number;
  readonly link: Link;
  /** When something came from it, in seconds of the watcher's clock. */
  heard: number;
  /** The newest call that it is known to have begun, and what that does while the rank waits in it. */
  call: number;
  form: string | null;
  left: boolean;
}

/**
 * Finds out which rank of MPI does not come. Every rank is connected with rank 0: each second they tell each other at which
 * call they are. Rank 0 watches all others, these watch rank 0; what one finds all are told.
 */
export class Watcher {
  readonly #rank: number;
  readonly #peers: readonly Peer[];
  readonly #times: WatchTimes;
  readonly #events: WatchEvents;
  /** The call in which this rank waits now; null while its program computes. */
  readonly #waiting: () => Call | null;
  readonly #beats: NodeJS.Timeout;
  #call = 0;
  #since = 0;
  readonly #clock = new WakeClock();
  #noted = 0;
  #over = false;

  constructor(
    rank: number,
    links: ReadonlyMap<number, Link>,
    times: WatchTimes,
    events: WatchEvents,
    waiting: () => Call | null,
  ) {
    this.#rank = rank;
    this.#times = times;
    this.#events = events;
    this.#waiting = waiting;
    this.#peers = Array.from(links, ([other, link]) => ({
      ...{ rank: other, link, heard: 0, call: 0, form: null, left: false },
    }));
    for (const peer of this.#peers) {
      peer.link.listen({
        frame: ({ head }) => {
          peer.heard = this.#clock.seconds;
          if (head.kind === 'beat') {
            peer.call = head.call;
            peer.form = head.waitsFor;
          } else if (head.kind === 'failed') this.#fail(head.message, peer);
          else if (head.kind === 'bye') peer.left = true;
        },
        end: () => {
          if (!peer.left) this.#fail(`Rank ${peer.rank} has ended${this.#while()}.`);
        },
      });
    }
    this.#beats = setInterval(() => this.#tick(), 1000);
  }

  /** Leaves: nobody waits for this rank any more. */
  async close(): Promise<void> {
    this.#over = true;
    clearInterval(this.#beats);
    for (const peer of this.#peers) {
      peer.left = true;
      peer.link.send({ kind: 'bye' });
    }
    await Promise.all(this.#peers.map(async ({ link }) => link.close()));
  }

  #tick(): void {
    this.#clock.tick();
    const own = this.#waiting();
    const beat = {
      kind: 'beat',
      call: own?.number ?? this.#call,
      waitsFor: own?.form ?? null,
    } as const;
    for (const { link, left } of this.#peers) if (!left) link.send(beat);
    if (own === null) return;
    if (own.number !== this.#call) {
      this.#call = own.number;
      this.#since = this.#clock.seconds;
    }
    const { silence, patience } = this.#times;
    const waited = this.#clock.seconds - this.#since;
    // Rank 0 sees what every rank does, and is the one that ends the job.
    const unlike =
      this.#rank > 0
        ? undefined
        : this.#peers.find(
            ({ call, form }) => call === own.number && form !== null && form !== own.form,
          );
    if (unlike !== undefined) {
      this.#fail(unlikeText(this.#rank, own.form, unlike.rank, unlike.form!));
      return;
    }
    if (waited < silence) return;
    const silent = this.#peers.filter(({ heard }) => this.#clock.seconds - heard >= silence);
    if (silent.length > 0) {
      this.#fail(
        silentText(
          silent.map(({ rank }) => rank),
          silence,
          this.#while(),
        ),
      );
      return;
    }
    const late = this.#peers.filter(({ call }) => call < own.number).map(({ rank }) => rank);
    // Where all have come and none goes on, rank 0 is the first to say so.
    const further = late.length > 0 ? 0 : silence * (this.#rank > 0 ? 2 : 1);
    if (waited >= patience + further) {
      this.#fail(
        late.length > 0
          ? `${lateText(late, own)} for ${patience} s${this.#while()}.`
          : `Rank ${this.#rank} has waited at ${callText(own)} for ${patience} s: another rank does not take part in it.`,
      );
    } else if (late.length > 0 && this.#noted !== own.number) {
      this.#noted = own.number;
      this.#events.note(waitingText(lateText(late, own), late.length, silence));
    }
  }

  #while(): string {
    const own = this.#waiting();
    return own === null ? '' : `, while rank ${this.#rank} is at ${callText(own)}`;
  }

  /** Fails here, and on all ranks but the one that has said so. */
  #fail(message: string, from: Peer | null = null): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#beats);
    for (const peer of this.#peers) {
      if (peer !== from && !peer.left) peer.link.send({ kind: 'failed', message });
    }
    // Ranks above 1 find out only about rank 0, and rank 1 does so with them.
    this.#events.fail(message, from === null && this.#rank <= 1);
  }
}

/**
 * Milliseconds after which a rank that does not end the job is killed, as its launcher kills the others then: that one which
 * should have ended it may be stopped too.
 */
export const killAfter = 5000;
