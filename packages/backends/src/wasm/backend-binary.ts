import { withSharedMemory } from './kernel-module.ts';

/**
 * TensorFlow.js's SIMD binary for one thread, changed to use shared memory if `shared` is set. Its binary for several
 * threads is not used, since it does not start in Node and starts workers of its own in browsers. The bytes are in a module
 * of ours, so that no bundler and no server has to find a file.
 */
export async function backendBinary(shared: boolean): Promise<Uint8Array<ArrayBuffer>> {
  // Imported when it is needed, so that pages that compute on WebGPU do not load it.
  const { gzippedBase64 } = await import('./backend-binary.generated.ts');
  const text = atob(gzippedBase64.replaceAll('\n', ''));
  const packed = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(unpacked).arrayBuffer());
  return shared ? withSharedMemory(bytes) : bytes;
}
