import { MultigradError } from '@multigrad/core/strategy';
import type { DataId } from '@tensorflow/tfjs-core';

/** The members of TensorFlow.js's WebGPU backend that are used here. */
export interface WebGpuBackend {
  readonly device: EventTarget & {
    readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
  };
  read(dataId: DataId): Promise<unknown>;
  readSync(dataId: DataId): unknown;
  readonly tensorMap: { get(dataId: DataId): { readonly values?: unknown } };
}

/**
 * Makes the next read of a tensor throw after an error of the device. WebGPU itself reports a shader that does not
 * compile, a buffer that is too large or a lost device by events alone, while the program goes on and computes with
 * zeros.
 */
export function watchDevice(backend: WebGpuBackend): void {
  let failure: string | null = null;
  backend.device.addEventListener('uncapturederror', (event) => {
    failure ??= (event as Event & { readonly error: { readonly message: string } }).error.message;
  });
  void backend.device.lost.then(({ reason, message }) => {
    // `destroyed` says that the program itself has ended the device.
    if (reason !== 'destroyed') failure ??= `the device is lost: ${message}`;
  });
  const check = (): void => {
    if (failure === null) return;
    throw new MultigradError(
      'unsupported',
      `WebGPU failed, and results are wrong since: ${failure}`,
    );
  };
  const read = backend.read.bind(backend);
  backend.read = async (dataId) => {
    // An error of earlier work has been reported once the values of later work are read.
    const values = await read(dataId);
    check();
    return values;
  };
  const readSync = backend.readSync.bind(backend);
  backend.readSync = (dataId) => {
    check();
    const known = (backend.tensorMap.get(dataId).values ?? null) !== null;
    if (known || typeof OffscreenCanvas !== 'undefined') return readSync(dataId);
    throw new MultigradError(
      'unsupported',
      'WebGPU outside of browsers reads tensors asynchronously alone: use `await tensor.data()` in place of `dataSync`.',
    );
  };
}
