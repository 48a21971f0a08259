import type { DataId, DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { MultigradError } from '@multigrad/core/strategy';
import type { KernelExports } from './kernel-exports.ts';
import { moduleBase64 } from './module.generated.ts';

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
}

const stackBytes = 65_536;
const instances = new WeakMap<object, KernelHeap>();
let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * Our kernels on the memory of one wasm backend: they read and write its tensors in place.
 *
 * The module has a stack of its own, because the backend's lies in the same memory, and one scratch area that grows to
 * the largest need.
 */
export class KernelHeap {
  readonly kernels: KernelExports;
  readonly #backend: WasmBackend;
  readonly #memory: WebAssembly.Memory;
  #scratch = 0;
  #scratchBytes = 0;

  private constructor(
    backend: WasmBackend,
    memory: WebAssembly.Memory,
    instance: WebAssembly.Instance,
  ) {
    this.#backend = backend;
    this.#memory = memory;
    this.kernels = instance.exports as unknown as KernelExports;
    const stack = backend.wasm._malloc(stackBytes);
    // Compiled code takes a multiple of 16 for granted; malloc promises less.
    this.kernels.__stack_pointer.value = (stack + stackBytes) & ~15;
  }

  /** Prepares the kernels for a backend; asynchronous, as browsers want it for modules of this size. */
  static async prepare(backend: object): Promise<void> {
    if (instances.has(backend)) return;
    const wasm = backend as WasmBackend;
    const memory = memoryOf(wasm);
    compiled ??= WebAssembly.compile(moduleBytes());
    const instance = await WebAssembly.instantiate(await compiled, { env: { memory } });
    instances.set(backend, new KernelHeap(wasm, memory, instance));
  }

  /** The kernels of a backend; one that was made anew since `prepare` gets its own instance here. */
  static of(backend: object): KernelHeap {
    const known = instances.get(backend);
    if (known !== undefined) return known;
    const wasm = backend as WasmBackend;
    const memory = memoryOf(wasm);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()), {
      env: { memory },
    });
    const heap = new KernelHeap(wasm, memory, instance);
    instances.set(backend, heap);
    return heap;
  }

  /** Address of a tensor's values. */
  pointer({ dataId }: TensorInfo): number {
    return this.#backend.dataIdMap.get(dataId).memoryOffset;
  }

  /** A new tensor, its values not set. */
  output(shape: readonly number[]): TensorInfo {
    return this.#backend.makeOutput(shape, 'float32');
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

/** The module's bytes; `atob` is in Node and browsers alike. */
export function moduleBytes(): Uint8Array<ArrayBuffer> {
  const text = atob(moduleBase64.replaceAll('\n', ''));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
