import { engine, ready, setBackend } from '@tensorflow/tfjs-core';
import { describeValue, MultigradError } from '@multigrad/core/strategy';
import { installCpuKernels } from './cpu/install.ts';
import { installGradients } from './registry/install-gradients.ts';
import { startWasm, type WasmReport } from './wasm/start.ts';

/** What `useBackend` did. */
export interface BackendReport {
  /** Name of the TensorFlow.js backend now in use. */
  readonly name: string;
  /** Whether our training kernels are installed on it. */
  readonly ownKernels: boolean;
  /** Why this one: what was asked for, and what failed on the way. */
  readonly reason: string;
  /** How our kernels run on wasm; on other backends absent. */
  readonly wasm?: WasmReport;
}

/** How `useBackend` is to start a backend. */
export interface BackendOptions {
  /**
   * Threads of the wasm kernels, an integer from 1 to 64, or `auto`: as many as run at once, 8 at most. Results are the
   * same for any number. Threads need Node; a backend that runs already keeps those that it has.
   *
   * @defaultValue `'auto'`
   */
  readonly threads?: number | 'auto';
}

/** Registers native TensorFlow and prepares it, or says why there is none. */
export type OpenNative = () => Promise<
  | { readonly ownKernels: boolean; readonly description: string }
  | { readonly missing: string; readonly hint: string }
>;

/** `useBackend` of a runtime: `openNative` is null where there is no native TensorFlow, as in browsers. */
export async function chooseBackend(
  name: string,
  openNative: OpenNative | null,
  { threads = 'auto' }: BackendOptions = {},
): Promise<BackendReport> {
  checkThreads(threads);
  switch (name) {
    case 'tensorflow': {
      if (openNative === null) return useRegistered(name);
      const native = await useNative(openNative);
      if (typeof native !== 'string') return native;
      throw new MultigradError('unsupported', `Backend \`tensorflow\` did not start: ${native}.`);
    }
    case 'wasm':
      return useWasm('asked for', threads);
    case 'cpu':
      return useCpu('asked for');
    case 'auto':
      return useFastest(openNative, threads);
    default:
      return useRegistered(name);
  }
}

async function useFastest(
  openNative: OpenNative | null,
  threads: number | 'auto',
): Promise<BackendReport> {
  const native = openNative === null ? null : await useNative(openNative);
  if (native !== null && typeof native !== 'string') return native;
  const without = native === null ? '' : `; ${native}`;
  try {
    return await useWasm(`the fastest that needs no installation${without}`, threads);
  } catch (error) {
    return useCpu(`wasm did not start: ${messageOf(error)}${without}`);
  }
}

/** The report, or why there is none. */
async function useNative(openNative: OpenNative): Promise<BackendReport | string> {
  const native = await openNative();
  if ('missing' in native) return `${native.missing} (${native.hint})`;
  await start('tensorflow');
  return { name: 'tensorflow', ownKernels: native.ownKernels, reason: native.description };
}

async function useWasm(reason: string, threads: number | 'auto'): Promise<BackendReport> {
  const wasm = await startWasm(threads, () => start('wasm'));
  return { name: 'wasm', ownKernels: true, reason, wasm };
}

function checkThreads(threads: unknown): void {
  if (threads === 'auto') return;
  if (Number.isInteger(threads) && (threads as number) >= 1 && (threads as number) <= 64) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`threads\` should be 'auto' or an integer from 1 to 64. Found ${describeValue(threads)}.`,
  );
}

async function useCpu(reason: string): Promise<BackendReport> {
  await import('@tensorflow/tfjs-backend-cpu');
  await start('cpu');
  installCpuKernels();
  return { name: 'cpu', ownKernels: true, reason };
}

async function useRegistered(name: string): Promise<BackendReport> {
  const registered = Object.keys(engine().registryFactory);
  if (!registered.includes(name)) {
    const known = new Set(['auto', 'tensorflow', 'wasm', 'cpu', ...registered]);
    throw new MultigradError(
      'unsupported',
      `Backend \`${name}\` is not registered with TensorFlow.js: import its package first. ` +
        `Known: ${[...known].join(', ')}.`,
    );
  }
  await start(name);
  return { name, ownKernels: false, reason: 'asked for; used as it is registered' };
}

async function start(name: string): Promise<void> {
  if (await setBackend(name)) {
    await ready();
    installGradients();
    return;
  }
  throw new MultigradError('unsupported', `Backend \`${name}\` did not start here.`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
