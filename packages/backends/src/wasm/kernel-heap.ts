import type { DataId, DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { MultigradError } from '@multigrad/core/strategy';
import type { KernelExports } from './kernel-exports.ts';
import { compileKernels, type KernelModule, kernelModule } from './kernel-module.ts';
import { maySleep, stackBytes, startThreads, type Threads } from './threads.ts';

/** The members of TensorFlow.js's wasm backend that the kernels use; they are public at run time, not in its types. */
interface WasmBackend {
  readonly wasm: {
    readonly asm: Readonly<Record<string, unknown>>;
    _malloc(bytes: number): number;
    _free(pointer: number): void;
  };
  readonly dataIdMap: { get(dataId: DataId): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: DataType): TensorInfo;
  incRef(dataId: DataId): void;
  dispose(): void;
}

const instances = new WeakMap<object, KernelHeap>();

/** Bytes of the `Job` of kernels/jobs.h, and where the fields are that are set once. */
const job = { bytes: 48, workers: 32, canSleep: 36 };

/**
 * Our kernels on the memory of one wasm backend: they read and write its tensors in place.
 *
 * The module has a stack of its own, because the backend's lies in the same memory, and one scratch area that grows to
 * the largest need.
 */
export class KernelHeap {
  readonly kernels: KernelExports;
  /** Whether multiply-add rounds once. */
  readonly relaxedSimd: boolean;
  readonly #compiled: KernelModule;
  readonly #backend: WasmBackend;
  readonly #memory: WebAssembly.Memory;
  #job = 0;
  #threads = 1;
  #threadsFailure: string | null = null;
  #scratch = 0;
  #scratchBytes = 0;

  private constructor(backend: WasmBackend) {
    this.#backend = backend;
    this.#memory = memoryOf(backend);
    this.#compiled = kernelModule(isShared(this.#memory));
    const instance = new WebAssembly.Instance(this.#compiled.module, {
      env: { memory: this.#memory },
    });
    this.kernels = instance.exports as unknown as KernelExports;
    this.kernels.__stack_pointer.value = this.#stack();
    this.relaxedSimd = this.#compiled.relaxedSimd;
  }

  /** Prepares the kernels for a backend, on so many threads where its memory is shared. */
  static async prepare(backend: object, threads: number): Promise<KernelHeap> {
    const known = instances.get(backend);
    if (known !== undefined) return known;
    const shared = isShared(memoryOf(backend as WasmBackend));
    await compileKernels(shared);
    const heap = KernelHeap.of(backend);
    if (shared && threads > 1) await heap.#addThreads(threads - 1);
    return heap;
  }

  /** The kernels of a backend; one that was made anew since `prepare` gets its own instance here, on one thread. */
  static of(backend: object): KernelHeap {
    const known = instances.get(backend);
    if (known !== undefined) return known;
    const heap = new KernelHeap(backend as WasmBackend);
    instances.set(backend, heap);
    return heap;
  }

  /** Address of what the threads share; 0 where there is one. */
  get job(): number {
    return this.#job;
  }

  /** How many threads work, this one included. */
  get threads(): number {
    return this.#threads;
  }

  /** Why others did not start; null where they did, or were not asked for. */
  get threadsFailure(): string | null {
    return this.#threadsFailure;
  }

  async #addThreads(count: number): Promise<void> {
    const address = this.#backend.wasm._malloc(job.bytes);
    const fields = new Int32Array(this.#memory.buffer, address, job.bytes / 4).fill(0);
    fields[job.workers / 4] = count;
    fields[job.canSleep / 4] = maySleep() ? 1 : 0;
    const stacks = Array.from({ length: count }, () => this.#stack());
    try {
      stopWith(this.#backend, await startThreads(this.#compiled, this.#memory, address, stacks));
    } catch (error) {
      this.#threadsFailure = `threads did not start: ${(error as Error).message}`;
      return;
    }
    this.#job = address;
    this.#threads = count + 1;
  }

  /** The upper end of a new stack. Compiled code takes a multiple of 16 for granted; malloc promises less. */
  #stack(): number {
    return (this.#backend.wasm._malloc(stackBytes) + stackBytes) & ~15;
  }

  /** Address of a tensor's values. */
  pointer({ dataId }: TensorInfo): number {
    return this.#backend.dataIdMap.get(dataId).memoryOffset;
  }

  /** A new tensor, its values not set. */
  output(shape: readonly number[], dtype: DataType = 'float32'): TensorInfo {
    return this.#backend.makeOutput(shape, dtype);
  }

  /** A tensor of other shape on the same values. */
  alias({ dataId, dtype }: TensorInfo, shape: readonly number[]): TensorInfo {
    this.#backend.incRef(dataId);
    return { dataId, shape: [...shape], dtype };
  }

  /** Address of at least `bytes` bytes of scratch, valid until the next call. Allocates: take addresses of tensors after. */
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

/** Ends the threads with the backend whose memory they work on. */
function stopWith(backend: WasmBackend, threads: Threads): void {
  const dispose = backend.dispose.bind(backend);
  backend.dispose = () => {
    threads.stop();
    dispose();
  };
}
