import process from 'node:process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';
import { MultigradError } from '@multigrad/core/strategy';
import type { Communicator, Payload } from '../communicator.ts';
import type { Patience } from './mesh.ts';
import type { Asked, ErrorText, FromThread, Shared, ThreadData, ToThread } from './messages.ts';
import { type Place, placeOf } from './place.ts';

/** Options of {@link tcp}. */
export interface TcpOptions {
  /**
   * Seconds without any sign of life from a rank that is waited for, after which the job ends: the rank is stopped, or its
   * host or the network is down. A number >= 1. @defaultValue 60
   */
  readonly silence?: number;
  /**
   * Seconds for which a rank that is alive may keep the others waiting at one call, after which the job ends. A number >= 1.
   * @defaultValue 1800
   */
  readonly patience?: number;
  /** Seconds in which all ranks should start and connect. A number >= 1. @defaultValue 300 */
  readonly start?: number;
  /** Takes a sentence about a rank that is alive but late. @defaultValue it goes to standard error */
  readonly onLate?: (text: string) => void;
}

/**
 * The ranks that `multigrad launch` (or SLURM's `srun`) started, over TCP: nothing but Node is needed. Once in a process.
 *
 * Connections live on a thread of their own. Each rank sends every other one a sign of life a second, so that a rank that
 * computes for long can be told from one that is stopped or cut off. A rank that fails, ends or does not come fails the
 * pending call on every rank, with a message that names it. Waiting costs no processor time.
 *
 * Sums are added in the order of the ranks: all ranks hold the same bits. A reduce-scatter sends each rank its part
 * directly: every rank sends `(N − 1)/N` of its numbers, in one round.
 *
 * @throws MultigradError `invalid-option`; `invalid-argument` where no launcher has told this process its place; `io` where
 *   a rank does not come in time
 *
 * @example
 * ```ts no-run
 * import { tcp } from '@multigrad/distributed/node';
 *
 * const communicator = await tcp(); // multigrad launch -n 4 node train.js
 * console.log(`${communicator.rank} of ${communicator.size}`);
 * await communicator.close();
 * ```
 */
export async function tcp(options: TcpOptions = {}): Promise<Communicator> {
  const place = placeOf(process.env);
  const times = timesOf(options);
  const note =
    options.onLate ?? ((text: string) => void process.stderr.write(`multigrad: ${text}\n`));
  const thread = new Thread(place, times, note);
  try {
    await thread.ready();
  } catch (error) {
    await thread.end();
    throw error;
  }
  return communicatorOf(place, thread);
}

function communicatorOf({ rank, size }: Place, thread: Thread): Communicator {
  let what = '';
  return {
    kind: 'tcp',
    rank,
    size,
    nextCall: (purpose) => {
      what = purpose;
    },
    allReduce: async (values, reduction = 'sum') => {
      const sums = await thread.call({ name: 'allReduce', values, reduction, what });
      values.set(sums as never);
    },
    reduceScatter: async (values, counts) =>
      (await thread.call({ name: 'reduceScatter', values, counts, what })) as Float32Array,
    allToAll: async <T extends Payload>(values: T, counts: readonly number[]) =>
      (await thread.call({ name: 'allToAll', values, counts, what })) as T,
    allGather: async <T extends Payload>(values: T, counts: readonly number[]) =>
      (await thread.call({ name: 'allGather', values, counts, what })) as T,
    broadcast: async (values, root = 0) => {
      const given = await thread.call({ name: 'broadcast', values, root, what });
      values.set(given as never);
    },
    barrier: async () => {
      await thread.call({ name: 'barrier', what });
    },
    allGatherNow: (values) => thread.callNow(values, { rank, size }, what),
    abort: (exitCode) => {
      thread.abort(exitCode);
      process.exit(exitCode);
    },
    close: async () => {
      await thread.call({ name: 'close', what: 'close' });
      await thread.end();
    },
  };
}

/** The file of the thread: the built one also where this file runs as TypeScript, which a thread of Node 20 cannot read. */
function threadFile(): URL {
  const built = createRequire(import.meta.url).resolve('@multigrad/distributed/node');
  return new URL('tcp/thread.js', pathToFileURL(built));
}

/** @throws MultigradError `invalid-option` */
function timesOf({ silence = 60, patience = 1800, start = 300 }: TcpOptions): Patience {
  for (const [name, value] of Object.entries({ silence, patience, start })) {
    if (value >= 1 && Number.isFinite(value)) continue;
    throw new MultigradError(
      'invalid-option',
      `Option \`${name}\` should be a number of seconds >= 1. Found ${String(value)}.`,
    );
  }
  return { silence, patience, start };
}

function errorOf({ code, message }: ErrorText): Error {
  return code === null ? new Error(message) : new MultigradError(code, message);
}

/** What waits for an answer of the thread. */
interface Pending {
  readonly resolve: (values: Payload | null) => void;
  readonly reject: (error: Error) => void;
}

/** The thread of the connections, which makes one call after the other. */
class Thread {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #note: (text: string) => void;
  /** What waits for answers, which come in the order of the calls. */
  readonly #pending: Pending[] = [];
  #dead: Error | null = null;

  constructor(place: Place, times: Patience, note: (text: string) => void) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#note = note;
    this.#worker = new Worker(threadFile(), {
      workerData: { place, times, port: port2 } satisfies ThreadData,
      transferList: [port2],
      execArgv: [],
    });
    port1.on('message', (message: FromThread) => this.#take(message));
    this.#worker.on('error', (error) => this.#die(error));
    this.#worker.on('exit', () => this.#die(new MultigradError('io', 'The rank has left.')));
    this.#worker.unref();
    port1.unref();
  }

  /** Waits until all ranks are connected. */
  async ready(): Promise<void> {
    await this.#answer(() => undefined);
  }

  /** A call, which the thread makes after those before it. The values are copied, except those that the call takes over. */
  async call(asked: Asked): Promise<Payload | null> {
    if (!('values' in asked)) return this.#answer(() => this.#post({ kind: 'call', asked }));
    const { values } = asked;
    const whole = values.byteLength === values.buffer.byteLength;
    const takenOver = asked.name === 'reduceScatter' || asked.name === 'allToAll';
    const moved = takenOver && whole ? values : values.slice();
    return this.#answer(() => {
      this.#post({ kind: 'call', asked: { ...asked, values: moved } as Asked }, [
        moved.buffer as ArrayBuffer,
      ]);
    });
  }

  /** The numbers of all ranks, while this thread is blocked. @throws what the call threw */
  callNow(
    values: Float64Array,
    { rank, size }: Pick<Place, 'rank' | 'size'>,
    what: string,
  ): Float64Array {
    if (this.#dead !== null) throw this.#dead;
    const shared: Shared = {
      state: new Int32Array(new SharedArrayBuffer(4)),
      values: new Float64Array(new SharedArrayBuffer(size * values.byteLength)),
    };
    shared.values.set(values, rank * values.length);
    this.#post({ kind: 'now', shared, what });
    // The thread sees to it that nobody waits for ever.
    Atomics.wait(shared.state, 0, 0);
    if (Atomics.load(shared.state, 0) === 1) return shared.values.slice();
    throw this.#errorNow();
  }

  /** Tells all ranks to end, and waits for a second at most until that is sent. */
  abort(exitCode: number): void {
    if (this.#dead !== null) return;
    const state = new Int32Array(new SharedArrayBuffer(4));
    this.#post({ kind: 'abort', exitCode, state });
    Atomics.wait(state, 0, 0, 1000);
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #post(message: ToThread, moved: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, moved);
  }

  async #answer(ask: () => void): Promise<Payload | null> {
    if (this.#dead !== null) throw this.#dead;
    // While a call is under way the process stays; between calls the connections do not keep it from ending.
    this.#port.ref();
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject });
      ask();
    });
  }

  /** The error of the thread, whose message has come while this thread was blocked. */
  #errorNow(): Error {
    let error: Error | null = null;
    for (;;) {
      const got = receiveMessageOnPort(this.#port) as { message: FromThread } | undefined;
      if (got === undefined) return error ?? new MultigradError('io', 'The rank has failed.');
      if (got.message.kind === 'error') error ??= errorOf(got.message.error);
      // Calls that were under way before have answers of their own, first.
      if (got.message.kind !== 'error' || this.#pending.length > 0) this.#take(got.message);
    }
  }

  #take(message: FromThread): void {
    if (message.kind === 'note') {
      this.#note(message.text);
      return;
    }
    if (message.kind === 'aborted') {
      process.stderr.write(
        `multigrad: rank ${message.rank} ended all ranks with exit code ${message.exitCode}.\n`,
      );
      process.exit(message.exitCode);
    }
    const pending = this.#pending.shift();
    if (this.#pending.length === 0) this.#port.unref();
    if (message.kind === 'error') pending?.reject(errorOf(message.error));
    else pending?.resolve(message.kind === 'answer' ? message.values : null);
  }

  #die(error: Error): void {
    this.#dead ??= error;
    for (const { reject } of this.#pending.splice(0)) reject(error);
  }
}
