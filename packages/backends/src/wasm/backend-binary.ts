import { MultigradError } from '@multigrad/core/strategy';
import { withSharedMemory } from './kernel-module.ts';
import { nodeModule } from './node-module.ts';

/**
 * TensorFlow.js's SIMD binary for one thread, changed to use shared memory if `shared` is set. Its binary for several
 * threads is not used, since it does not start in Node and starts workers of its own in browsers.
 *
 * @throws MultigradError `unsupported` when a browser does not get the file
 */
export async function backendBinary(
  shared: boolean,
  location: string | URL | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const module = nodeModule('node:module');
  const bytes =
    module !== undefined
      ? packagedBytes(module.createRequire(import.meta.url))
      : // Bundlers find the file because the address is written in this form.
        await fetchBytes(
          location ??
            new URL(
              '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm',
              import.meta.url,
            ),
        );
  return shared ? withSharedMemory(bytes) : bytes;
}

function packagedBytes(require: NodeJS.Require): Uint8Array<ArrayBuffer> {
  const { readFileSync } = nodeModule('node:fs')!;
  const entry = require.resolve('@tensorflow/tfjs-backend-wasm');
  return new Uint8Array(readFileSync(new URL('tfjs-backend-wasm-simd.wasm', `file://${entry}`)));
}

async function fetchBytes(url: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  const found = await fetchOrExplain(url);
  if (typeof found !== 'string') {
    const bytes = new Uint8Array(found);
    // Checks for \0asm, since servers of one-page programs answer any address with their page.
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
    // Without a limit, a server that takes the request and never answers would hold up the page for ever.
    const signal = AbortSignal.timeout(60_000);
    const response = await fetch(url, { credentials: 'same-origin', signal });
    return response.ok ? await response.arrayBuffer() : `status ${response.status}`;
  } catch (error) {
    return String(error);
  }
}
