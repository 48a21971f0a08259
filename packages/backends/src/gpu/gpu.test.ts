import type { DataId } from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as browser from '../browser.ts';
import { useBackend } from '../use-backend.ts';
import { findWebGpu } from './open-webgpu.ts';
import { watchDevice, type WebGpuBackend } from './watch-device.ts';

// What computes on a device is in tests/browser.

const there = (): Promise<null> => Promise.resolve(null);
const provided = { provide: there, register: there };

/** A runtime whose WebGPU gives this adapter. */
function stubGpu(adapter: object | null): void {
  vi.stubGlobal('navigator', { gpu: { requestAdapter: () => Promise.resolve(adapter) } });
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.doUnmock('webgpu');
  vi.doUnmock('@tensorflow/tfjs-backend-webgpu');
});

describe('WebGPU', () => {
  it('is described by what its adapter tells', async () => {
    stubGpu({ info: { vendor: 'maker', architecture: 'model', description: '' } });
    expect(await findWebGpu(provided)).toEqual({ device: 'maker model', software: false });
    stubGpu({
      info: { vendor: 'maker', architecture: '', description: '', isFallbackAdapter: true },
    });
    expect(await findWebGpu(provided)).toEqual({ device: 'maker', software: true });
    stubGpu({ info: { vendor: 'mesa', architecture: '', description: 'llvmpipe (256 bits)' } });
    expect(await findWebGpu(provided)).toMatchObject({ software: true });
    stubGpu({});
    expect(await findWebGpu(provided)).toEqual({
      device: 'a device without a name',
      software: false,
    });
  });

  it('is missing where the driver never answers', async () => {
    vi.useFakeTimers();
    try {
      vi.stubGlobal('navigator', { gpu: { requestAdapter: () => new Promise(() => undefined) } });
      const found = findWebGpu(provided);
      await vi.advanceTimersByTimeAsync(30_000);
      expect(await found).toMatchObject({ missing: 'no WebGPU adapter answers' });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('says what is missing, and what to type', async () => {
    stubGpu(null);
    await expect(useBackend('webgpu')).rejects.toThrow(
      /Backend `webgpu` did not start: no WebGPU adapter answers \(a graphics driver is missing/,
    );
    stubGpu({});
    vi.doMock('@tensorflow/tfjs-backend-webgpu', () => {
      throw new Error('no such package');
    });
    await expect(useBackend('webgpu')).rejects.toThrow(
      /package of the backend did not load: .*`npm install @tensorflow\/tfjs-backend-webgpu`/s,
    );
    vi.stubGlobal('navigator', {});
    vi.doMock('webgpu', () => {
      throw new Error('no such package');
    });
    await expect(useBackend('webgpu')).rejects.toThrow(
      /WebGPU for Node did not load: .*`npm install webgpu @tensorflow\/tfjs-backend-webgpu`/s,
    );
  });
});

describe('a device that fails', () => {
  function watched(): { backend: WebGpuBackend; lose: (reason: string) => void } {
    let lose!: (reason: string) => void;
    const lost = new Promise<{ reason: string; message: string }>((resolve) => {
      lose = (reason) => resolve({ reason, message: 'unplugged' });
    });
    const backend: WebGpuBackend = {
      device: Object.assign(new EventTarget(), { lost }),
      read: () => Promise.resolve('numbers'),
      readSync: () => 'numbers',
      tensorMap: { get: () => ({ values: 'numbers' }) },
    };
    watchDevice(backend);
    return { backend, lose };
  }
  const id: DataId = {};

  it('is found at the next read', async () => {
    const { backend } = watched();
    expect(await backend.read(id)).toBe('numbers');
    expect(backend.readSync(id)).toBe('numbers');
    for (const message of ['too many buffers', 'and so on']) {
      backend.device.dispatchEvent(
        Object.assign(new Event('uncapturederror'), { error: { message } }),
      );
    }
    const said = 'WebGPU failed, and results are wrong since: too many buffers';
    await expect(backend.read(id)).rejects.toThrow(said);
    expect(() => backend.readSync(id)).toThrow(said);
  });

  it('may be lost, or ended by its owner', async () => {
    const ended = watched();
    ended.lose('destroyed');
    await ended.backend.device.lost;
    expect(await ended.backend.read(id)).toBe('numbers');
    const unplugged = watched();
    unplugged.lose('unknown');
    await unplugged.backend.device.lost;
    await expect(unplugged.backend.read(id)).rejects.toThrow('the device is lost: unplugged');
  });
});

it('WebGL needs a browser', async () => {
  await expect(useBackend('webgl')).rejects.toThrow(
    'Backend `webgl` did not start: WebGL needs a browser (in Node try `tensorflow`, `wasm` or `webgpu`).',
  );
});

it('says to pages which import they lack', async () => {
  stubGpu({});
  await expect(browser.useBackend('webgpu')).rejects.toThrow(
    'Backend `webgpu` did not start: the page has not imported @tensorflow/tfjs-backend-webgpu (`npm install ' +
      "@tensorflow/tfjs-backend-webgpu`, then write `import '@tensorflow/tfjs-backend-webgpu'` before `useBackend`).",
  );
  vi.stubGlobal('document', {});
  await expect(browser.useBackend('webgl')).rejects.toThrow(
    'Backend `webgl` did not start: the page has not imported @tensorflow/tfjs-backend-webgl (',
  );
});
