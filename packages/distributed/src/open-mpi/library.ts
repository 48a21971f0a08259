import process from 'node:process';
import { MultigradError } from '@multigrad/core/strategy';
import koffi from 'koffi';

/** Where Open MPI's library is looked for, by the names that the system's loader knows. */
const names: Readonly<Record<string, readonly string[]>> = {
  linux: ['libmpi.so.40', 'libmpi.so'],
  darwin: ['libmpi.40.dylib', 'libmpi.dylib'],
};

/** The functions of MPI that are called, as in its C interface. */
const prototypes = {
  Init_thread: '(void *argc, void *argv, int required, _Out_ int *provided)',
  Initialized: '(_Out_ int *flag)',
  Finalize: '()',
  Abort: '(void *comm, int code)',
  Comm_rank: '(void *comm, _Out_ int *rank)',
  Comm_size: '(void *comm, _Out_ int *size)',
  Comm_set_errhandler: '(void *comm, void *handler)',
  Error_string: '(int code, _Out_ char *text, _Out_ int *length)',
  Allreduce: '(intptr_t from, void *to, int count, void *type, void *operation, void *comm)',
  Reduce_scatter: '(void *from, void *to, int *counts, void *type, void *operation, void *comm)',
  Allgatherv:
    '(void *from, int count, void *sent, void *to, int *counts, int *offsets, void *taken, void *comm)',
  Alltoallv:
    '(void *from, int *counts, int *offsets, void *sent, void *to, int *taking, int *places, void *taken, void *comm)',
  Allgather: '(void *from, int count, void *sent, void *to, int taking, void *taken, void *comm)',
  Bcast: '(void *values, int count, void *type, int root, void *comm)',
  Barrier: '(void *comm)',
} as const;

/** Name of a function, without `MPI_`. */
export type MpiFunction = keyof typeof prototypes;

/** Open MPI's own objects that its macros stand for. */
const handles = {
  world: 'ompi_mpi_comm_world',
  float32: 'ompi_mpi_float',
  float64: 'ompi_mpi_double',
  byte: 'ompi_mpi_byte',
  sum: 'ompi_mpi_op_sum',
  max: 'ompi_mpi_op_max',
  errorsReturn: 'ompi_mpi_errors_return',
} as const;

/** The library, loaded. */
export interface MpiLibrary {
  readonly path: string;
  /** Calls a function; it blocks. @throws MultigradError `io` with MPI's own words */
  readonly call: (name: MpiFunction, ...given: unknown[]) => void;
  /** Calls a function on another thread. */
  readonly callAside: (name: MpiFunction, ...given: unknown[]) => Promise<void>;
  readonly handle: Readonly<Record<keyof typeof handles, unknown>>;
}

type Library = ReturnType<typeof koffi.load>;

/**
 * Loads Open MPI's library: that of the environment variable `MULTIGRAD_MPI_LIB`, or what the system's loader finds.
 *
 * @throws MultigradError `unsupported` where there is none, or one of another MPI
 */
export function loadLibrary(): MpiLibrary {
  const named = process.env['MULTIGRAD_MPI_LIB'];
  const candidates =
    named === undefined || named === '' ? (names[process.platform] ?? ['libmpi.so']) : [named];
  const { path, library } = open(candidates);
  const handle = Object.fromEntries(
    Object.entries(handles).map(([name, symbol]) => [name, handleOf(library, path, symbol)]),
  ) as MpiLibrary['handle'];
  const functions = Object.fromEntries(
    Object.entries(prototypes).map(([name, given]) => [
      name,
      library.func(`int MPI_${name}${given}`),
    ]),
  ) as Record<MpiFunction, ReturnType<Library['func']>>;
  const held = new Set<readonly unknown[]>();
  const check = (name: MpiFunction, code: number): void => {
    if (code === 0) return;
    const text = [' '.repeat(256)];
    functions.Error_string(code, text, [0]);
    throw new MultigradError(
      'io',
      `MPI_${name} should succeed. Found error ${code}: ${text[0]!.trim()}.`,
    );
  };
  return {
    path,
    handle,
    call: (name, ...given) => {
      check(name, functions[name](...given) as number);
    },
    callAside: async (name, ...given) => {
      // The call knows the arrays by their addresses alone: keep them alive until it ends.
      held.add(given);
      try {
        const code = await new Promise<number>((resolve, reject) => {
          functions[name].async(...given, (error: Error | null, result: number) => {
            if (error === null) resolve(result);
            else reject(error);
          });
        });
        check(name, code);
      } finally {
        held.delete(given);
      }
    },
  };
}

function open(candidates: readonly string[]): { path: string; library: Library } {
  const failures: string[] = [];
  for (const path of candidates) {
    try {
      keepLoaded(path);
      // Open MPI's plugins look for its symbols among the global ones.
      return { path, library: koffi.load(path, { global: true }) };
    } catch (error) {
      failures.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new MultigradError(
    'unsupported',
    "Open MPI's library should be where the system's loader finds it (Debian and Ubuntu: apt-get install openmpi-bin libopenmpi3), " +
      `or at the path in MULTIGRAD_MPI_LIB. Found none: ${failures.join('; ')}.`,
  );
}

/** `RTLD_NOW`, `RTLD_GLOBAL` and `RTLD_NODELETE`, as the system's headers define them. */
const keepFlags: Readonly<Record<string, number>> = {
  linux: 0x2 + 0x100 + 0x1000,
  darwin: 0x2 + 0x8 + 0x80,
};

/**
 * Loads a library so that it stays until the end of the process. Threads that have called MPI run code of the library
 * when they end, which can be after its last user has released it.
 */
function keepLoaded(path: string): void {
  const flags = keepFlags[process.platform];
  if (flags === undefined) return;
  const open = koffi.load(null).func('void *dlopen(const char *path, int flags)') as (
    path: string,
    flags: number,
  ) => unknown;
  // Where this does not find the library, `koffi.load` reports why.
  open(path, flags);
}

function handleOf(library: Library, path: string, symbol: string): unknown {
  try {
    return library.symbol(symbol);
  } catch {
    throw new MultigradError(
      'unsupported',
      `The MPI library should be Open MPI's, whose handles are symbols such as \`${symbol}\`. Found none in ${path}: another MPI.`,
    );
  }
}
