import { engine, ready, setBackend } from '@tensorflow/tfjs-core';
import { mendTape } from '@multigrad/core';
import { MultigradError } from '@multigrad/core/strategy';
import { checkKnownOptions, type OptionNames, describeValue } from '@multigrad/core/support';
import { installCpuKernels } from './cpu/install.ts';
import type { GpuReport } from './gpu/gpu-report.ts';
import { type Missing, missingText } from './gpu/missing.ts';
import { describeWebGl, findWebGl } from './gpu/open-webgl.ts';
import { findWebGpu, type GpuAccess, startWebGpu } from './gpu/open-webgpu.ts';
import { installChainedOperations } from './registry/chained-operations.ts';
import { installMendedGradients } from './registry/gradients/mended-gradients.ts';
import { installGradients } from './registry/install-gradients.ts';
import { installStockLayers } from './registry/stock-layers.ts';
import { keepRegistration } from './registry/keep-registration.ts';
import { startWasm, type WasmReport } from './wasm/start.ts';

/** The result of `useBackend`: which backend is in use, and how. */
export interface BackendReport {
  /** Name of the TensorFlow.js backend now in use. */
  readonly name: string;
  /** Whether our training kernels are installed on it. */
  readonly ownKernels: boolean;
  /** Why this backend is used: what was asked for, and which other backends failed. */
  readonly reason: string;
  /** How our kernels run on wasm; absent on other backends. */
  readonly wasm?: WasmReport;
  /** The device that webgpu or webgl computes on; absent on other backends. */
  readonly gpu?: GpuReport;
}

/** Options of `useBackend`. */
export interface BackendOptions {
  /**
   * Number of threads of the wasm kernels: an integer from 1 to 64, or `auto` for as many as the machine runs at once, at
   * most 8. Results are the same for any number. In browsers, threads need a page that is isolated from others. Where
   * threads are not available, one thread works and the report says why. A backend that runs already keeps its threads.
   *
   * @defaultValue `'auto'`
   */
  readonly threads?: number | 'auto';
  /**
   * Called with the reason, once for each thread of wasm that does not start, dies, or gives no sign of life for 10 s
   * while it has work. The calling thread computes what the thread had left, and the other threads go on: only speed is
   * lost.
   *
   * @defaultValue nothing is called; the next call of `useBackend` reports lost threads
   */
  readonly onThreadLost?: (reason: string) => void;
}

/** Registers native TensorFlow and prepares it for training; resolves to a description, or to what is missing. */
export type OpenNative = () => Promise<
  { readonly ownKernels: boolean; readonly description: string } | Missing
>;

/** The differences between Node and browsers. */
export interface Runtime {
  /** Opens native TensorFlow; null where the runtime cannot have it. */
  readonly openNative: OpenNative | null;
  readonly gpu: GpuAccess;
  /** Whether `auto` prefers WebGPU on a graphics device to wasm. */
  readonly prefersGpu: boolean;
}

const optionNames: OptionNames<BackendOptions> = {
  threads: true,
  onThreadLost: true,
};

/** Does what `useBackend` promises, for a runtime. */
export async function chooseBackend(
  name: string,
  runtime: Runtime,
  options: BackendOptions = {},
): Promise<BackendReport> {
  checkKnownOptions('useBackend', options, optionNames);
  checkThreads(options.threads);
  switch (name) {
    case 'tensorflow':
      if (runtime.openNative === null) return useRegistered(name);
      return orRefuse(name, await useNative(runtime.openNative));
    case 'webgpu':
      return orRefuse(name, await useWebGpu('asked for', runtime.gpu));
    case 'webgl':
      return orRefuse(name, await useWebGl());
    case 'wasm':
      return useWasm('asked for', options);
    case 'cpu':
      return useCpu('asked for');
    case 'auto':
      return useFastest(runtime, options);
    default:
      return useRegistered(name);
  }
}

async function useFastest(runtime: Runtime, options: BackendOptions): Promise<BackendReport> {
  const faster: (() => Promise<BackendReport | string>)[] = [];
  const { openNative, gpu, prefersGpu } = runtime;
  if (openNative !== null) faster.push(() => useNative(openNative));
  if (prefersGpu) faster.push(() => useHardwareGpu(gpu));
  let without = '';
  for (const use of faster) {
    const result = await use();
    if (typeof result !== 'string') return result;
    without += `; ${result}`;
  }
  try {
    return await useWasm(`the fastest that needs no installation${without}`, options);
  } catch (error) {
    return useCpu(`wasm did not start: ${messageOf(error)}${without}`);
  }
}

function orRefuse(name: string, result: BackendReport | string): BackendReport {
  if (typeof result !== 'string') return result;
  throw new MultigradError('unsupported', `Backend \`${name}\` did not start: ${result}.`);
}

/** Uses native TensorFlow; resolves to the report, or to the text of what is missing. */
async function useNative(openNative: OpenNative): Promise<BackendReport | string> {
  const native = await openNative();
  if ('missing' in native) return missingText(native);
  await start('tensorflow');
  return { name: 'tensorflow', ownKernels: native.ownKernels, reason: native.description };
}

async function useWebGpu(reason: string, access: GpuAccess): Promise<BackendReport | string> {
  const gpu = await findWebGpu(access);
  if ('missing' in gpu) return missingText(gpu);
  keepRegistration('webgpu');
  await startWebGpu(() => start('webgpu'));
  return { name: 'webgpu', ownKernels: false, reason, gpu };
}

/** Uses WebGPU on a graphics device; resolves to the reason why not where there is none, or software emulates it. */
async function useHardwareGpu(access: GpuAccess): Promise<BackendReport | string> {
  const gpu = await findWebGpu(access);
  if ('missing' in gpu) return missingText(gpu);
  if (gpu.software) return `WebGPU is played by the processor (${gpu.device})`;
  try {
    return await useWebGpu('a graphics device answers', access);
  } catch (error) {
    return `WebGPU did not start: ${messageOf(error)}`;
  }
}

async function useWebGl(): Promise<BackendReport | string> {
  const missing = findWebGl();
  if (missing !== null) return missingText(missing);
  keepRegistration('webgl');
  await start('webgl');
  return { name: 'webgl', ownKernels: false, reason: 'asked for', gpu: describeWebGl() };
}

async function useWasm(reason: string, options: BackendOptions): Promise<BackendReport> {
  const wasm = await startWasm(options, () => start('wasm'));
  return { name: 'wasm', ownKernels: true, reason, wasm };
}

function checkThreads(threads: unknown): void {
  if (threads === undefined || threads === 'auto') return;
  if (Number.isInteger(threads) && (threads as number) >= 1 && (threads as number) <= 64) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`threads\` should be 'auto' or an integer from 1 to 64. Found ${describeValue(threads)}.`,
  );
}

async function useCpu(reason: string): Promise<BackendReport> {
  await import('@tensorflow/tfjs-backend-cpu');
  keepRegistration('cpu');
  await start('cpu');
  installCpuKernels();
  return { name: 'cpu', ownKernels: true, reason };
}

const knownNames = ['auto', 'tensorflow', 'webgpu', 'webgl', 'wasm', 'cpu'];

async function useRegistered(name: string): Promise<BackendReport> {
  const registered = Object.keys(engine().registryFactory);
  if (!registered.includes(name)) {
    const known = new Set([...knownNames, ...registered]);
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
    installChainedOperations();
    installMendedGradients();
    installGradients();
    installStockLayers();
    mendTape();
    return;
  }
  throw new MultigradError('unsupported', `Backend \`${name}\` did not start here.`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
