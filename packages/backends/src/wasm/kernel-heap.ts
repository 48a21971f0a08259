import { type DataId, type DataType, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { MultigradError } from '@multigrad/core/strategy';
import type { KernelExports } from './kernel-exports.ts';
import { compileKernels, type KernelModule, kernelModule } from './kernel-module.ts';
import { stackBytes } from './threads/start-workers.ts';
import { tableBytes, ThreadsLost, ThreadTeam } from './threads/thread-team.ts';

/** The members of TensorFlow.js's wasm backend that the kernels use; they are public at run time, not in its types. */
interface WasmBackend {
  readonly wasm: {
    readonly asm: Readonly<Record<string, unknown>>;
    _malloc(bytes: number): number;
    _free(pointer: number): void;
  };
  readonly dataIdMap: {
    get(dataId: DataId): { memoryOffset: number; readonly refCount: number };
  };
  makeOutput(shape: readonly number[], dtype: DataType): TensorInfo;
  incRef(dataId: DataId): void;
  disposeData(dataId: DataId): boolean;
  dispose(): void;
}

const instances = new WeakMap<object, KernelHeap>();

/**
 * Our kernels on the memory of one wasm backend. They read and write its tensors in place.
 *
 * The module has a stack of its own, because the backend's stack lies in the same memory. It has one scratch area, which
 * grows to the largest size that a kernel asks for.
 */
export class KernelHeap {
  readonly kernels: KernelExports;
  /** Whether multiply-add rounds once. */
  readonly relaxedSimd: boolean;
  readonly #compiled: KernelModule;
  readonly #backend: WasmBackend;
  readonly #memory: WebAssembly.Memory;
  #job = 0;
  #team: ThreadTeam | null = null;
  /** Whether a kernel is being run again, on this thread alone. */
  #alone = false;
  /** The tensors that the running kernel has made so far; null while none runs. */
  #made: TensorInfo[] | null = null;
  #scratch = 0;
  #scratchBytes = 0;

  private constructor(backend: WasmBackend) {
    this.#backend = backend;
    checkOutputs(backend);
    this.#memory = memoryOf(backend);
    this.#compiled = kernelModule(isShared(this.#memory));
    const instance = new WebAssembly.Instance(this.#compiled.module, {
      env: {
        memory: this.#memory,
        wait_for_threads: (done: number) => this.#team?.wait(done),
      },
    });
    this.kernels = instance.exports as unknown as KernelExports;
    this.kernels.__stack_pointer.value = this.#stack();
    this.relaxedSimd = this.#compiled.relaxedSimd;
  }

  /** Prepares the kernels for a backend, on `threads` threads where its memory is shared, else on one. */
  static async prepare(backend: object, threads: number): Promise<KernelHeap> {
    const known = instances.get(backend);
    if (known !== undefined) return known;
    const shared = isShared(memoryOf(backend as WasmBackend));
    await compileKernels(shared);
    const heap = KernelHeap.of(backend);
    if (shared && threads > 1) heap.#addThreads(threads - 1);
    return heap;
  }

  /** The kernels of a backend. A backend that was not prepared gets an instance of its own here, on one thread. */
  static of(backend: object): KernelHeap {
    const known = instances.get(backend);
    if (known !== undefined) return known;
    const heap = new KernelHeap(backend as WasmBackend);
    instances.set(backend, heap);
    return heap;
  }

  /** Address of the job, which the threads share; 0 where a kernel is to run on this thread alone. */
  get job(): number {
    return this.#alone ? 0 : this.#job;
  }

  /** The team of the other threads; null where none were started. */
  get team(): ThreadTeam | null {
    return this.#team;
  }

  #addThreads(count: number): void {
    const stacks = Array.from({ length: count }, () => this.#stack());
    const bytes = tableBytes(count);
    const job = (this.#backend.wasm._malloc(bytes + 8) + 8) & ~7;
    new Uint8Array(this.#memory.buffer, job, bytes).fill(0);
    const { module } = this.#compiled;
    const memory = this.#memory;
    this.#team = new ThreadTeam({ module, memory, job, stacks, kernels: this.kernels });
    this.#job = job;
    stopWith(this.#backend, this.#team);
  }

  /**
   * Runs a kernel. Where threads are lost meanwhile, the kernel runs again on this thread alone and in other memory, so that
   * a late thread writes to memory that nothing else uses. The tensors that a failed kernel has made are freed.
   *
   * @throws MultigradError `kernel-failed` when it traps on this thread
   */
  attempt<Result>(name: string, run: () => Result): Result {
    const outer = this.#made;
    const stackPointer = this.kernels.__stack_pointer.value as number;
    this.#made = [];
    try {
      return run();
    } catch (error) {
      this.kernels.__stack_pointer.value = stackPointer;
      const lost = error instanceof ThreadsLost;
      const trapped = error instanceof WebAssembly.RuntimeError;
      this.#discard(lost || trapped ? (this.#team?.settle() ?? []) : []);
      if (lost) return this.#again(name, run);
      if (!trapped) throw error;
      throw new MultigradError(
        'kernel-failed',
        `Kernel ${name} of multigrad failed on the wasm backend: ${error.message}. ` +
          'Expected inputs whose shapes and sizes fit each other.',
        { cause: error },
      );
    } finally {
      this.#made = outer;
    }
  }

  #again<Result>(name: string, run: () => Result): Result {
    this.#alone = true;
    try {
      return this.attempt(name, run);
    } finally {
      this.#alone = false;
    }
  }

  /** Frees the tensors of the failed kernel, as soon as the threads that may still write to them are gone. */
  #discard(writers: ReturnType<ThreadTeam['settle']>): void {
    const free = (address: number): void =>
      this.#team?.whenGone(writers, () => this.#backend.wasm._free(address));
    for (const { dataId } of this.#made ?? []) {
      const record = this.#backend.dataIdMap.get(dataId);
      if (writers.length > 0 && record.refCount === 1) {
        free(record.memoryOffset);
        record.memoryOffset = 0;
      }
      this.#backend.disposeData(dataId);
    }
    if (writers.length > 0 && this.#scratch !== 0) {
      free(this.#scratch);
      this.#scratch = 0;
      this.#scratchBytes = 0;
    }
  }

  /** Makes a stack and returns its upper end, a multiple of 16: compiled code needs that, and malloc does not promise it. */
  #stack(): number {
    return (this.#backend.wasm._malloc(stackBytes) + stackBytes) & ~15;
  }

  /** Address of a tensor's values. */
  pointer({ dataId }: TensorInfo): number {
    return this.#backend.dataIdMap.get(dataId).memoryOffset;
  }

  /** A new tensor whose values are not set. */
  output(shape: readonly number[], dtype: DataType = 'float32'): TensorInfo {
    const made = this.#backend.makeOutput(shape, dtype);
    this.#made?.push(made);
    return made;
  }

  /** A tensor's values in place. The array is valid until the next allocation, which may grow the memory. */
  values({ dataId, shape, dtype }: TensorInfo): Float32Array | Int32Array | Uint8Array {
    const { buffer } = this.#memory;
    const { memoryOffset } = this.#backend.dataIdMap.get(dataId);
    const size = util.sizeFromShape(shape);
    if (dtype === 'float32') return new Float32Array(buffer, memoryOffset, size);
    if (dtype === 'int32') return new Int32Array(buffer, memoryOffset, size);
    if (dtype === 'bool') return new Uint8Array(buffer, memoryOffset, size);
    throw new MultigradError(
      'invalid-argument',
      `A kernel on wasm should get float32, int32 or bool. Found ${dtype}.`,
    );
  }

  /** A tensor of another shape that shares a tensor's values. */
  alias({ dataId, dtype }: TensorInfo, shape: readonly number[]): TensorInfo {
    this.#backend.incRef(dataId);
    const made = { dataId, shape: [...shape], dtype };
    this.#made?.push(made);
    return made;
  }

  /**
   * Address of at least `bytes` bytes of scratch, valid until the next call. It may allocate: take tensors' values after.
   */
  scratch(bytes: number): number {
    if (bytes > this.#scratchBytes) {
      if (this.#scratch !== 0) this.#backend.wasm._free(this.#scratch);
      this.#scratch = this.#backend.wasm._malloc(bytes);
      this.#scratchBytes = this.#scratch === 0 ? 0 : bytes;
      if (this.#scratch === 0) {
        throw new MultigradError(
          'unsupported',
          `The wasm backend is out of memory: could not get ${bytes} bytes.`,
        );
      }
    }
    return this.#scratch;
  }

  /** Writes addresses or other 32-bit integers to memory. */
  writeIntegers(pointer: number, values: readonly number[]): void {
    new Int32Array(this.#memory.buffer, pointer, values.length).set(values);
  }

  /** Writes float32 numbers to memory. */
  writeFloats(pointer: number, values: readonly number[]): void {
    new Float32Array(this.#memory.buffer, pointer, values.length).set(values);
  }

  /** Sets a tensor's values to zero. */
  clear(tensor: TensorInfo): void {
    const size = tensor.shape.reduce((product, length) => product * length, 1);
    new Float32Array(this.#memory.buffer, this.pointer(tensor), size).fill(0);
  }
}

function memoryOf({ wasm }: WasmBackend): WebAssembly.Memory {
  const memory = Object.values(wasm.asm).find((value) => value instanceof WebAssembly.Memory);
  if (memory !== undefined) return memory;
  throw new MultigradError(
    'unsupported',
    'The wasm backend of TensorFlow.js should export its memory. Found none: expected @tensorflow/tfjs-backend-wasm 4.x.',
  );
}

function isShared({ buffer }: WebAssembly.Memory): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer;
}

/**
 * Makes every kernel of a backend, stock ones too, refuse an output whose lengths are not integers of 0 and more. Windows
 * that are larger than an image lead to negative lengths, with which a stock kernel would overwrite other memory.
 */
function checkOutputs(backend: WasmBackend): void {
  const make = backend.makeOutput.bind(backend);
  backend.makeOutput = (shape, ...others) => {
    if (shape.every((length) => Number.isInteger(length) && length >= 0)) {
      return make(shape, ...others);
    }
    throw new MultigradError(
      'invalid-argument',
      `A kernel on wasm should make a tensor with lengths of 0 and more. Found [${shape.join(', ')}]: ` +
        'windows, sizes or counts do not fit the inputs.',
    );
  };
}

/** Makes a backend end its threads when it is disposed of. */
function stopWith(backend: WasmBackend, team: ThreadTeam): void {
  const dispose = backend.dispose.bind(backend);
  backend.dispose = () => {
    team.stop();
    dispose();
  };
}
