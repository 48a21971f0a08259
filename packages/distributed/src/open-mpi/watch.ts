import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Address } from '../tcp/frames.ts';
import type { FromWatch, ToWatch, WatchData } from './watch-thread.ts';
import type { WatchEvents, WatchTimes } from './watcher.ts';

/** Seconds in which all ranks should be connected with rank 0. */
const joinWithin = 20;

/** The watch over a rank of MPI. */
export class Watch {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #events: WatchEvents;
  readonly #state = new Int32Array(new SharedArrayBuffer(8));
  #calls = 0;
  #answer: ((message: FromWatch) => void) | null = null;
  /** Where rank 0 takes connections; none on the others. */
  readonly opened: Promise<readonly Address[]>;

  constructor(rank: number, size: number, token: string, times: WatchTimes, events: WatchEvents) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#events = events;
    // The built one also where this file runs as TypeScript, which a thread of Node 20 cannot read.
    const built = createRequire(import.meta.url).resolve('@multigrad/distributed/node');
    const data: WatchData = { rank, size, times, token, port: port2, state: this.#state };
    this.#worker = new Worker(new URL('open-mpi/watch-thread.js', pathToFileURL(built)), {
      workerData: data,
      transferList: [port2],
      execArgv: [],
    });
    port1.on('message', (message: FromWatch) => this.#take(message));
    this.opened = this.#next().then((message) =>
      message.kind === 'opened' ? message.addresses : [],
    );
    this.#worker.unref();
  }

  /** Connects with the others. @returns what is in the way; null where nothing is */
  async join(addresses: readonly Address[]): Promise<string | null> {
    this.#post({ kind: 'join', addresses, seconds: joinWithin });
    const message = await this.#next();
    this.#port.unref();
    return message.kind === 'joined' ? message.problem : 'the thread has ended';
  }

  /** Begins a call. @returns what ends it */
  begin(form: string, what: string): () => void {
    this.#calls += 1;
    this.#post({ kind: 'call', call: { number: this.#calls, form, what } });
    Atomics.store(this.#state, 0, this.#calls);
    return () => Atomics.store(this.#state, 0, 0);
  }

  async end(): Promise<void> {
    this.#port.ref();
    this.#post({ kind: 'close' });
    await this.#next();
    this.#port.close();
    await this.#worker.terminate();
  }

  async #next(): Promise<FromWatch> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#worker.once('exit', () => resolve({ kind: 'closed' }));
    });
  }

  #take(message: FromWatch): void {
    if (message.kind === 'note') this.#events.note(message.text);
    else if (message.kind === 'failed') {
      Atomics.store(this.#state, 1, 1);
      this.#events.fail(message.text, message.ends);
    } else this.#answer?.(message);
  }

  #post(message: ToWatch): void {
    this.#port.postMessage(message);
  }
}
