import { MultigradError } from '@multigrad/core/strategy';
import { withSharedMemory } from './kernel-module.ts';
import { nodeModule } from './node-module.ts';

/** The bytes of TensorFlow.js's SIMD binary, its memory shared among threads if need be, as an address to load. */
export interface BackendBinary {
  readonly url: string;
  /** Frees what the address stands for. */
  release(): void;
}

/**
 * TensorFlow.js's SIMD binary for `setWasmPaths`. Its own is made for one thread, and its build for several does not
 * start in Node, and brings workers of its own in browsers. Null where the backend finds what it needs by itself.
 *
 * @throws MultigradError `unsupported` when a browser does not get the file
 */
export async function backendBinary(
  shared: boolean,
  location: string | URL | undefined,
): Promise<BackendBinary | null> {
  const module = nodeModule('node:module');
  if (module !== undefined)
    return shared ? nodeBinary(module.createRequire(import.meta.url)) : null;
  // In this form bundlers find the file.
  const url =
    location ??
    new URL('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm', import.meta.url);
  const bytes = await fetchBytes(url);
  const blob = new Blob([shared ? withSharedMemory(bytes) : bytes], { type: 'application/wasm' });
  const address = URL.createObjectURL(blob);
  return { url: address, release: () => URL.revokeObjectURL(address) };
}

function nodeBinary(require: NodeJS.Require): BackendBinary {
  const { readFileSync } = nodeModule('node:fs')!;
  const entry = require.resolve('@tensorflow/tfjs-backend-wasm');
  const file = new URL('tfjs-backend-wasm-simd.wasm', `file://${entry}`);
  const binary = withSharedMemory(new Uint8Array(readFileSync(file)));
  const url = `data:application/wasm;base64,${Buffer.from(binary).toString('base64')}`;
  return { url, release: () => undefined };
}

async function fetchBytes(url: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  const found = await fetchOrExplain(url);
  if (typeof found !== 'string') {
    const bytes = new Uint8Array(found);
    // \0asm; servers of one-page programs answer any address with their page.
    if (String(bytes.subarray(0, 4)) === '0,97,115,109') return bytes;
  }
  throw new MultigradError(
    'unsupported',
    `Expected the wasm binary of TensorFlow.js at ${String(url)}. ` +
      `Found ${typeof found === 'string' ? found : 'something else'}. ` +
      'A bundler that knows `new URL(…, import.meta.url)` puts it there; without one, serve ' +
      '`tfjs-backend-wasm-simd.wasm` of @tensorflow/tfjs-backend-wasm and name its address: option `wasmBinary`.',
  );
}

async function fetchOrExplain(url: string | URL): Promise<ArrayBuffer | string> {
  try {
    const response = await fetch(url, { credentials: 'same-origin' });
    return response.ok ? await response.arrayBuffer() : `status ${response.status}`;
  } catch (error) {
    return String(error);
  }
}
