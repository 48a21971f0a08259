import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { MultigradError } from '@multigrad/core/strategy';
import type { Communicator, Numbers, Payload, Reduction } from '../communicator.ts';
import { kindOf, payloadText } from '../calls.ts';
import { checkCounts, checkPart, emptyLike, offsetsOf, totalOf } from '../parts.ts';
import type { Address } from '../tcp/frames.ts';
import { type Guard, GuardedCalls } from './guarded-calls.ts';
import { loadLibrary, type MpiLibrary } from './library.ts';
import { Watch } from './watch.ts';
import { killAfter, type WatchTimes } from './watcher.ts';

/** MPI's counts are ints of 32 bits. */
const largestCount = 2 ** 31 - 1;
/** `MPI_IN_PLACE` as Open MPI defines it. */
const inPlace = 1n;
/** Bytes of a text that rank 0 tells all others at the start. */
const textBytes = 4096;
/** `MPI_THREAD_SERIALIZED`: any thread may call, one at a time. */
const serialized = 2;

/** Options of {@link openMpi}. */
export interface OpenMpiOptions {
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
  /** Takes a sentence about a rank that is alive but late. @defaultValue it goes to standard error */
  readonly onLate?: (text: string) => void;
}

/**
 * The ranks that `mpirun` started, this process among them. Once in a process; `close` is the last call.
 *
 * Collective calls wait on a thread of their own, so that timers and signals get their turn.
 *
 * MPI tells nobody which rank is missing, so the ranks tell each other: each has a connection with rank 0 over TCP, by which
 * they say once a second that they are alive, and at which call. A rank that is stopped, cut off, at another call or too late
 * is named, and ends the job. Where rank 0 cannot be reached over TCP, a line on standard error says so, and the names are
 * missing in messages.
 *
 * @throws MultigradError `invalid-option`; `unsupported` where there is no library of Open MPI, or one without threads
 *
 * @example
 * ```ts no-run
 * import { openMpi } from '@multigrad/distributed/open-mpi';
 *
 * const communicator = await openMpi(); // mpirun -n 4 node train.js
 * console.log(`${communicator.rank} of ${communicator.size}`);
 * await communicator.close();
 * ```
 */
export async function openMpi(options: OpenMpiOptions = {}): Promise<Communicator> {
  const { silence = 60, patience = 1800, onLate: note = say } = options;
  for (const [name, value] of Object.entries({ silence, patience })) {
    if (value >= 1 && Number.isFinite(value)) continue;
    throw new MultigradError(
      'invalid-option',
      `Option \`${name}\` should be a number of seconds >= 1. Found ${value}.`,
    );
  }
  const mpi = loadLibrary();
  initialise(mpi);
  const { world, float32, float64, byte } = mpi.handle;
  const rank = numberOf(mpi, 'Comm_rank');
  const size = numberOf(mpi, 'Comm_size');
  const typeOf = (values: Payload): unknown =>
    values instanceof Float32Array ? float32 : values instanceof Float64Array ? float64 : byte;
  const guard = await openGuard(mpi, rank, size, { silence, patience }, note);
  const calls = new GuardedCalls(rank, mpi, guard);
  const reduceArguments = (values: Numbers, reduction: Reduction): unknown[] => {
    checkCount(values.length);
    return [inPlace, values, values.length, typeOf(values), mpi.handle[reduction], world];
  };
  return {
    kind: 'open-mpi',
    rank,
    size,
    nextCall: (purpose) => {
      calls.purpose = purpose;
    },
    allReduce: async (values, reduction = 'sum') =>
      calls.aside(
        `allReduce(${payloadText(values)}, ${reduction})`,
        'Allreduce',
        ...reduceArguments(values, reduction),
      ),
    reduceScatter: async (values, counts) => {
      checkCounts(counts, size, values.length);
      checkCount(values.length);
      const part = new Float32Array(counts[rank]!);
      const all = Int32Array.from(counts);
      const form = `reduceScatter([${counts.join(', ')}])`;
      await calls.aside(form, 'Reduce_scatter', values, part, all, float32, mpi.handle.sum, world);
      return part;
    },
    allToAll: async (values, counts) => {
      checkCounts(counts, size, values.length);
      const own = counts[rank]!;
      const whole = emptyLike(values, size * own);
      checkCount(Math.max(values.length, whole.length));
      const type = typeOf(values);
      const sent = [Int32Array.from(counts), Int32Array.from(offsetsOf(counts))];
      const taken = new Array<number>(size).fill(own);
      const taking = [Int32Array.from(taken), Int32Array.from(offsetsOf(taken))];
      const form = `allToAll(${kindOf(values)}, [${counts.join(', ')}])`;
      await calls.aside(form, 'Alltoallv', values, ...sent, type, whole, ...taking, type, world);
      return whole;
    },
    allGather: async (part, counts) => {
      const total = totalOf(counts);
      checkCounts(counts, size, total);
      checkCount(total);
      checkPart(part, counts, rank);
      const whole = emptyLike(part, total);
      const offsets = Int32Array.from(offsetsOf(counts));
      const type = typeOf(part);
      const all = Int32Array.from(counts);
      const form = `allGather(${kindOf(part)}, [${counts.join(', ')}])`;
      await calls.aside(
        form,
        'Allgatherv',
        part,
        part.length,
        type,
        whole,
        all,
        offsets,
        type,
        world,
      );
      return whole;
    },
    broadcast: async (values, root = 0) => {
      checkCount(values.length);
      const form = `broadcast(${payloadText(values)}, ${root})`;
      return calls.aside(form, 'Bcast', values, values.length, typeOf(values), root, world);
    },
    barrier: async () => calls.aside('barrier', 'Barrier', world),
    allGatherNow: (values) => {
      const whole = new Float64Array(size * values.length);
      const { length } = values;
      calls.now(
        `allGatherNow(${payloadText(values)})`,
        'Allgather',
        values,
        length,
        float64,
        whole,
        length,
        float64,
        world,
      );
      return whole;
    },
    abort: (exitCode) => {
      mpi.call('Abort', world, exitCode);
    },
    close: async () => {
      // Awaited on another thread: a rank that never closes is watched for too.
      await calls.aside('close', 'Barrier', world);
      await guard.end();
      mpi.call('Finalize');
    },
  };
}

/** Connects the ranks, so that they can tell each other where they are. Every rank calls it. */
async function openGuard(
  mpi: MpiLibrary,
  rank: number,
  size: number,
  times: WatchTimes,
  note: (text: string) => void,
): Promise<Guard> {
  const none: Guard = { begin: () => () => undefined, end: () => Promise.resolve() };
  if (size === 1) return none;
  const fromRoot = (text: string): string => {
    const bytes = new Uint8Array(textBytes);
    new TextEncoder().encodeInto(text, bytes);
    mpi.call('Bcast', bytes, textBytes, mpi.handle.byte, 0, mpi.handle.world);
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  };
  const watch = new Watch(rank, size, fromRoot(randomBytes(24).toString('base64url')), times, {
    note,
    fail: (text, ends) => {
      say(text);
      endJob(mpi, ends);
    },
  });
  const addresses = JSON.parse(fromRoot(JSON.stringify(await watch.opened))) as Address[];
  const problem = await watch.join(addresses);
  const { world, float64, sum } = mpi.handle;
  const lacking = Float64Array.of(problem === null ? 0 : 1);
  mpi.call('Allreduce', inPlace, lacking, 1, float64, sum, world);
  if (lacking[0] === 0) return watch;
  await watch.end();
  if (problem !== null) {
    say(
      `rank ${rank} cannot be watched, as ranks should reach rank 0 over TCP. Found: ${problem}. Messages will not name a rank that does not come.`,
    );
  }
  return unnamed(rank, times, note, () => endJob(mpi, rank === 0));
}

/**
 * Ends the job: one rank by `MPI_Abort`, after which the launcher ends all others. A further `MPI_Abort` can make `mpirun` fail,
 * so another rank is only killed, where it is still there some seconds later.
 */
function endJob(mpi: MpiLibrary, ends: boolean): void {
  if (ends) mpi.call('Abort', mpi.handle.world, 1);
  else setTimeout(() => process.kill(process.pid, 'SIGKILL'), killAfter);
}

/** Watches this rank's calls by a clock alone, which cannot tell who is missing. */
function unnamed(
  rank: number,
  { silence, patience }: WatchTimes,
  note: (text: string) => void,
  abort: () => void,
): Guard {
  return {
    begin: (form, what) => {
      const text = `rank ${rank} has waited at ${what === '' ? form : `\`${what}\` (${form})`}`;
      const timers = [
        setTimeout(() => {
          note(`${text} for ${silence} s; going on to wait.`);
        }, silence * 1000),
        setTimeout(() => {
          say(`${text} for ${patience} s: another rank is stopped, cut off or at another call.`);
          abort();
        }, patience * 1000),
      ];
      for (const timer of timers) timer.unref();
      return () => {
        for (const timer of timers) clearTimeout(timer);
      };
    },
    end: () => Promise.resolve(),
  };
}

function say(text: string): void {
  process.stderr.write(`multigrad: ${text}\n`);
}

function initialise(mpi: MpiLibrary): void {
  const begun = [0];
  mpi.call('Initialized', begun);
  if (begun[0] !== 0) {
    throw new MultigradError(
      'interleaved-call',
      '`openMpi` should be called once in a process. Found that MPI is running.',
    );
  }
  const provided = [0];
  mpi.call('Init_thread', null, null, serialized, provided);
  // MPI returns an error code instead of ending the process; it becomes a MultigradError.
  mpi.call('Comm_set_errhandler', mpi.handle.world, mpi.handle.errorsReturn);
  if (provided[0]! >= serialized) return;
  mpi.call('Finalize');
  throw new MultigradError(
    'unsupported',
    `The MPI library should let any thread call it (MPI_THREAD_SERIALIZED). Found level ${provided[0]} in ${mpi.path}.`,
  );
}

function numberOf(mpi: MpiLibrary, name: 'Comm_rank' | 'Comm_size'): number {
  const found = [0];
  mpi.call(name, mpi.handle.world, found);
  return found[0]!;
}

/** @throws MultigradError `invalid-argument` */
function checkCount(count: number): void {
  if (count <= largestCount) return;
  throw new MultigradError(
    'invalid-argument',
    `One call of MPI should move at most ${largestCount} elements. Found ${count}: send them in parts.`,
  );
}
