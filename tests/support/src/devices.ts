import * as tf from '@tensorflow/tfjs-core';
import { testedBackends } from './backends.ts';

/** A backend with our kernels, and on how many threads it computes where that can be chosen. */
export interface Device {
  readonly name: string;
  readonly backend: string;
  readonly threads?: number;
}

/** All that is always there, or the backend that `MULTIGRAD_TEST_BACKEND` names. */
export function testedDevices(): readonly Device[] {
  return testedBackends().flatMap((backend) =>
    backend === 'wasm'
      ? [1, 2].map((threads) => ({
          name: `wasm, ${threads} thread${threads > 1 ? 's' : ''}`,
          backend,
          threads,
        }))
      : [{ name: backend, backend }],
  );
}

/** Starts a device. A wasm backend with another number of threads ends, and with it all tensors that it holds. */
export async function useDevice({ backend, threads }: Device): Promise<void> {
  // Not needed by those who test on stock backends.
  const { useBackend } = await import('@multigrad/backends');
  const { registryFactory } = tf.engine();
  const held = registryFactory[backend] as (typeof registryFactory)[string] | undefined;
  if (threads !== undefined && held !== undefined) {
    tf.removeBackend(backend);
    tf.registerBackend(backend, held.factory, held.priority);
  }
  const { wasm } = await useBackend(backend, threads === undefined ? {} : { threads });
  if (wasm !== undefined && wasm.threads !== threads) {
    throw new Error(`Expected ${threads} threads. Found ${wasm.threads}: ${wasm.threadsReason}.`);
  }
}
