import { plainBase64, relaxedBase64 } from './module.generated.ts';
import { nodeModule } from './node-module.ts';

/** The compiled kernels. */
export interface KernelModule {
  readonly module: WebAssembly.Module;
  /** Whether multiply-add is one instruction that rounds once. */
  readonly relaxedSimd: boolean;
}

const compiled = new Map<boolean, KernelModule>();

/** The kernels, compiled for a memory that threads share or for one that they do not. Each is compiled once. */
export function kernelModule(shared: boolean): KernelModule {
  const known = compiled.get(shared);
  if (known !== undefined) return known;
  const made = withRelaxedSimd((relaxedSimd) => {
    const bytes = moduleBytes(relaxedSimd ? 'relaxed' : 'plain');
    return {
      module: new WebAssembly.Module(shared ? withSharedMemory(bytes) : bytes),
      relaxedSimd,
    };
  });
  compiled.set(shared, made);
  return made;
}

/** Does what {@link kernelModule} does without blocking a browser, which has to compile large modules asynchronously. */
export async function compileKernels(shared: boolean): Promise<KernelModule> {
  if (!compiled.has(shared) && nodeModule('node:v8') === undefined) {
    const relaxedSimd = WebAssembly.validate(moduleBytes('relaxed'));
    const bytes = moduleBytes(relaxedSimd ? 'relaxed' : 'plain');
    const module = await WebAssembly.compile(shared ? withSharedMemory(bytes) : bytes);
    compiled.set(shared, { module, relaxedSimd });
  }
  return kernelModule(shared);
}

/** The module's bytes; `atob` is in Node and browsers alike. */
export function moduleBytes(variant: 'plain' | 'relaxed'): Uint8Array<ArrayBuffer> {
  const text = atob((variant === 'plain' ? plainBase64 : relaxedBase64).replaceAll('\n', ''));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/**
 * Calls `compile` with whether the engine takes relaxed SIMD. V8 of Node 20 has it complete behind a flag that can be set at
 * run time. The flag is set during compilation alone; a compiled module works without it.
 */
function withRelaxedSimd<T>(compile: (relaxedSimd: boolean) => T): T {
  const validates = (): boolean => WebAssembly.validate(moduleBytes('relaxed'));
  if (validates()) return compile(true);
  const v8 = nodeModule('node:v8');
  if (v8 === undefined) return compile(false);
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  try {
    return compile(validates());
  } finally {
    v8.setFlagsFromString('--no-experimental-wasm-relaxed-simd');
  }
}

/**
 * A copy of a wasm binary whose only memory, its own or imported, is shared among threads. Only a memory with a maximum can
 * be shared. One bit of the binary says whether it is.
 *
 * @throws RangeError when the binary has no memory with a maximum
 */
export function withSharedMemory(binary: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bytes = binary.slice();
  const at = memoryLimits(bytes);
  if (bytes[at] !== 1) throw new RangeError('The wasm binary has no memory with a maximum.');
  bytes[at] = 3;
  return bytes;
}

/** The index of the flags of the memory's limits; -1 where the binary has no memory. */
function memoryLimits(bytes: Uint8Array): number {
  let at = 8;
  const integer = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  };
  const skipLimits = (): void => {
    const flags = bytes[at++]!;
    integer();
    if ((flags & 1) === 1) integer();
  };
  while (at < bytes.length) {
    const section = bytes[at++];
    const size = integer();
    const end = at + size;
    if (section === 5) {
      integer();
      return at;
    }
    if (section === 2) {
      for (let left = integer(); left > 0; left -= 1) {
        // Skips the names of module and field.
        for (let name = 0; name < 2; name += 1) {
          const length = integer();
          at += length;
        }
        const kind = bytes[at++];
        if (kind === 2) return at;
        if (kind === 0) integer();
        else if (kind === 1) {
          at += 1;
          skipLimits();
        } else at += 2;
      }
    }
    at = end;
  }
  return -1;
}
