import { backend, engine } from '@tensorflow/tfjs-core';
import type { GpuReport } from './gpu-report.ts';
import type { Missing } from './missing.ts';
import { type WebGpuBackend, watchDevice } from './watch-device.ts';
import { installWebGpuKernels } from './webgpu-kernels.ts';

/** Sees to it that `navigator.gpu` is there, or says what is missing. */
export type ProvideGpu = () => Promise<Missing | null>;

/** The part of WebGPU's adapter that is asked here. */
interface Adapter {
  readonly info?: {
    readonly vendor: string;
    readonly architecture: string;
    readonly description: string;
    readonly isFallbackAdapter?: boolean;
  };
}

interface Gpu {
  requestAdapter(options: { readonly powerPreference: string }): Promise<Adapter | null>;
}

/** How long a driver may take to answer, in milliseconds; one that hangs would hold up the program for ever. */
const patience = 30_000;

/** What a promise resolves to, or null where that takes too long. */
async function firstOf<T>(promise: Promise<T>, milliseconds: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The device that WebGPU would compute on, or what is missing; nothing is started. */
export async function findWebGpu(provideGpu: ProvideGpu): Promise<GpuReport | Missing> {
  const missing = await provideGpu();
  if (missing !== null) return missing;
  const adapter = await firstOf(
    gpuOf()!.requestAdapter({ powerPreference: 'high-performance' }),
    patience,
  );
  if (adapter === null) {
    return {
      missing: 'no WebGPU adapter answers',
      hint: 'a graphics driver is missing or barred; on Linux WebGPU needs one for Vulkan',
    };
  }
  // Its import registers the backend, which needs navigator.gpu by then.
  try {
    await import('@tensorflow/tfjs-backend-webgpu');
  } catch (error) {
    return {
      missing: `the package of the backend did not load: ${String(error)}`,
      hint: '`npm install @tensorflow/tfjs-backend-webgpu`',
    };
  }
  return describeAdapter(adapter);
}

/** Starts the backend that {@link findWebGpu} has found, by `start`. */
export async function startWebGpu(start: () => Promise<void>): Promise<void> {
  const running = engine().registry['webgpu'];
  await start();
  installWebGpuKernels();
  if (running !== backend()) watchDevice(backend() as unknown as WebGpuBackend);
}

/** WebGPU of this runtime, if it has it. */
export function gpuOf(): Gpu | undefined {
  return (globalThis as { navigator?: { readonly gpu?: Gpu } }).navigator?.gpu;
}

function describeAdapter({ info }: Adapter): GpuReport {
  const { vendor = '', architecture = '', description = '', isFallbackAdapter } = info ?? {};
  const words = [vendor, architecture, description].filter((word) => word !== '');
  // Mesa's software renderer does not call itself a fallback everywhere.
  const software =
    isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe/i.test(words.join(' '));
  return { device: words.join(' ') || 'a device without a name', software };
}
