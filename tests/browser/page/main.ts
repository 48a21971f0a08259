import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import { useBackend } from '@multigrad/backends';
import { operations } from './operations.ts';
import { type Results, results } from './results.ts';

/** What the tests call in the page. */
export interface PageInterface {
  readonly results: (backend: string) => Promise<Results>;
  readonly useBackend: typeof useBackend;
}

Object.assign(globalThis, {
  multigrad: {
    results: (backend) => results(backend, operations),
    useBackend,
  } satisfies PageInterface,
});
document.title = 'ready';
