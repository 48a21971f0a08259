import { backend, engine } from '@tensorflow/tfjs-core';
import type { GpuReport } from './gpu-report.ts';
import type { Missing } from './missing.ts';
import { type WebGpuBackend, watchDevice } from './watch-device.ts';
import { installWebGpuKernels } from '../webgpu/install.ts';

/** How a runtime comes to WebGPU; each function resolves to what is missing, or null. */
export interface GpuAccess {
  /** Provides `navigator.gpu`. */
  readonly provide: () => Promise<Missing | null>;
  /** Registers TensorFlow.js's WebGPU backend, which needs `navigator.gpu` to be there. */
  readonly register: () => Promise<Missing | null>;
}

/** The part of WebGPU's adapter that is read here. */
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

/** How long a driver may take to answer, in milliseconds. Without a limit, a driver that hangs would stop the program. */
const patience = 30_000;

/** Resolves to what a promise resolves to, or to null where that takes longer than `milliseconds`. */
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

/** The device that WebGPU would compute on, or what is missing. The backend is registered and not started. */
export async function findWebGpu(access: GpuAccess): Promise<GpuReport | Missing> {
  const missing = await access.provide();
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
  return (await access.register()) ?? describeAdapter(adapter);
}

/** Calls `start`, which starts the backend that {@link findWebGpu} has found, then prepares the backend for training. */
export async function startWebGpu(start: () => Promise<void>): Promise<void> {
  const running = engine().registry['webgpu'];
  await start();
  installWebGpuKernels();
  if (running !== backend()) watchDevice(backend() as unknown as WebGpuBackend);
}

/** The WebGPU of this runtime; undefined where it has none. */
export function gpuOf(): Gpu | undefined {
  return (globalThis as { navigator?: { readonly gpu?: Gpu } }).navigator?.gpu;
}

function describeAdapter({ info }: Adapter): GpuReport {
  const { vendor = '', architecture = '', description = '', isFallbackAdapter } = info ?? {};
  const words = [vendor, architecture, description].filter((word) => word !== '');
  // Mesa's software renderer does not report everywhere that it is a fallback.
  const software =
    isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe/i.test(words.join(' '));
  return { device: words.join(' ') || 'a device without a name', software };
}
