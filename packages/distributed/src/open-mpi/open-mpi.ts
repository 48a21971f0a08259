import process from 'node:process';
import { MultigradError } from '@multigrad/core/strategy';
import type { Communicator, Numbers, Payload, Reduction } from '../communicator.ts';
import { checkCounts, checkPart, emptyLike, offsetsOf, totalOf } from '../parts.ts';
import { loadLibrary, type MpiLibrary } from './library.ts';

/** MPI's counts are ints of 32 bits. */
const largestCount = 2 ** 31 - 1;
/** `MPI_IN_PLACE` as Open MPI defines it. */
const inPlace = 1n;
/** Seconds after which a rank says that it waits. */
const lateAfter = 60;
/** `MPI_THREAD_SERIALIZED`: any thread may call, one at a time. */
const serialized = 2;

/** Options of {@link openMpi}. */
export interface OpenMpiOptions {
  /**
   * Seconds that a rank waits in one call for the others, after which it ends the job. MPI does not tell which rank is
   * missing: the message says which rank waits, and for what. Calls within a forward pass are not watched, as they block the
   * only thread that could watch. A number >= 1. @defaultValue 1800
   */
  readonly patience?: number;
}

/**
 * The ranks that `mpirun` started, this process among them. Once in a process; `close` is the last call.
 *
 * Collective calls wait on a thread of their own, so that timers and signals get their turn.
 *
 * @throws MultigradError `invalid-option`; `unsupported` where there is no library of Open MPI, or one without threads
 *
 * @example
 * ```ts no-run
 * import { openMpi } from '@multigrad/distributed/open-mpi';
 *
 * const communicator = openMpi(); // mpirun -n 4 node train.js
 * console.log(`${communicator.rank} of ${communicator.size}`);
 * await communicator.close();
 * ```
 */
export function openMpi({ patience = 1800 }: OpenMpiOptions = {}): Communicator {
  if (!(patience >= 1 && Number.isFinite(patience))) {
    throw new MultigradError(
      'invalid-option',
      `Option \`patience\` should be a number of seconds >= 1. Found ${patience}.`,
    );
  }
  const mpi = loadLibrary();
  initialise(mpi);
  const { world, float32, float64, byte } = mpi.handle;
  const rank = numberOf(mpi, 'Comm_rank');
  const size = numberOf(mpi, 'Comm_size');
  const typeOf = (values: Payload): unknown =>
    values instanceof Float32Array ? float32 : values instanceof Float64Array ? float64 : byte;
  let last: Promise<unknown> = Promise.resolve();
  let underWay = 0;
  let what = '';
  // One call at a time, also where the caller does not wait.
  const aside = async (...call: Parameters<MpiLibrary['callAside']>): Promise<void> => {
    const purpose = what === '' ? call[0] : `\`${what}\` (${call[0]})`;
    underWay += 1;
    const next = last.then(async () => {
      const watched = watch(`rank ${rank} has waited at ${purpose}`, patience, () => {
        mpi.call('Abort', world, 1);
      });
      try {
        await mpi.callAside(...call);
      } finally {
        underWay -= 1;
        watched.end();
      }
    });
    last = next.catch(() => undefined);
    return next;
  };
  const reduceArguments = (values: Numbers, reduction: Reduction): unknown[] => {
    checkCount(values.length);
    return [inPlace, values, values.length, typeOf(values), mpi.handle[reduction], world];
  };
  return {
    kind: 'open-mpi',
    rank,
    size,
    nextCall: (purpose) => {
      what = purpose;
    },
    allReduce: async (values, reduction = 'sum') =>
      aside('Allreduce', ...reduceArguments(values, reduction)),
    reduceScatter: async (values, counts) => {
      checkCounts(counts, size, values.length);
      checkCount(values.length);
      const part = new Float32Array(counts[rank]!);
      const all = Int32Array.from(counts);
      await aside('Reduce_scatter', values, part, all, float32, mpi.handle.sum, world);
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
      await aside('Alltoallv', values, ...sent, type, whole, ...taking, type, world);
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
      await aside('Allgatherv', part, part.length, type, whole, all, offsets, type, world);
      return whole;
    },
    broadcast: async (values, root = 0) => {
      checkCount(values.length);
      return aside('Bcast', values, values.length, typeOf(values), root, world);
    },
    barrier: async () => aside('Barrier', world),
    allGatherNow: (values) => {
      if (underWay > 0) {
        throw new MultigradError(
          'interleaved-call',
          `A call within a forward pass should find no other one under way. Found ${underWay}.`,
        );
      }
      const whole = new Float64Array(size * values.length);
      const { length } = values;
      mpi.call('Allgather', values, length, float64, whole, length, float64, world);
      return whole;
    },
    abort: (exitCode) => {
      mpi.call('Abort', world, exitCode);
    },
    close: async () => {
      await last;
      mpi.call('Finalize');
    },
  };
}

/** Says on standard error that a call takes long, and ends the job where it takes too long. Seconds. */
function watch(text: string, patience: number, abort: () => void): { end(): void } {
  const say = (rest: string): void => void process.stderr.write(`multigrad: ${text} ${rest}\n`);
  const timers = [
    setTimeout(() => {
      say(`for ${lateAfter} s; going on to wait.`);
    }, lateAfter * 1000),
    setTimeout(() => {
      say(`for ${patience} s: another rank is stopped, cut off or at another call.`);
      abort();
    }, patience * 1000),
  ];
  for (const timer of timers) timer.unref();
  return {
    end: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
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
