import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as browser from './browser.ts';
import * as whole from './index.ts';
import { useBackend } from './use-backend.ts';
import { KernelHeap } from './wasm/kernel-heap.ts';

let home: string;

beforeEach(() => {
  // No build of native TensorFlow that this machine may have.
  home = mkdtempSync(join(tmpdir(), 'multigrad-backend-'));
  vi.stubEnv('MULTIGRAD_NATIVE', home);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  if ((tf.findBackendFactory('tensorflow') as unknown) !== null) tf.removeBackend('tensorflow');
  rmSync(home, { recursive: true });
});

/** A build whose library cannot be loaded. */
function brokenBuild(): string {
  const folder = join(home, 'tensorflow-1.0-cpu');
  const { platform, arch } = process;
  mkdirSync(join(folder, 'addon'), { recursive: true });
  writeFileSync(join(folder, 'addon/quiet.node'), 'no library');
  const record = { format: 1, device: 'cpu', tensorflow: '1.0', platform, arch };
  writeFileSync(join(folder, 'build.json'), JSON.stringify(record));
  return folder;
}

/** By a stock kernel, and by ours where a factor is transposed. */
function expectProducts(): void {
  tf.tidy(() => {
    const [a, b] = [tf.ones([2, 3]), tf.ones([3, 1])];
    expect([...tf.matMul(a, b).dataSync()]).toEqual([3, 3]);
    expect([...tf.matMul(b, a, true, true).dataSync()]).toEqual([3, 3]);
  });
}

describe('useBackend', () => {
  it('starts wasm with our kernels, and prints no warning', async () => {
    const warn = vi.spyOn(console, 'warn');
    const report = await useBackend('auto');
    expect(report).toMatchObject({
      name: 'wasm',
      ownKernels: true,
      reason:
        'the fastest that needs no installation; ' +
        'native TensorFlow is not installed (`npm install -D @multigrad/cli`, then `npx multigrad native install` makes one)',
    });
    expect(report.wasm?.threads).toBeGreaterThanOrEqual(1);
    expect(tf.getBackend()).toBe('wasm');
    await useBackend('wasm');
    expect((await useBackend('cpu')).name).toBe('cpu');
    expect(tf.getBackend()).toBe('cpu');
    expect(warn).not.toHaveBeenCalled();
  });

  it('says so when it falls back to cpu', async () => {
    vi.spyOn(tf.engine(), 'setBackend').mockImplementationOnce(() => Promise.resolve(false));
    const report = await useBackend('auto');
    expect(report.name).toBe('cpu');
    expect(report.reason).toMatch(/wasm did not start: Backend `wasm` did not start here/);
  });

  it('uses a registered backend as it is, and names those that it knows otherwise', async () => {
    tf.registerBackend('own', () => tf.findBackend('cpu'));
    expect(await useBackend('own')).toMatchObject({ name: 'own', ownKernels: false });
    await expect(useBackend('webgpuu')).rejects.toThrow(
      /`webgpuu` is not registered.*Known: auto, tensorflow, webgpu, webgl, wasm, cpu, own/,
    );
    await useBackend('cpu');
    tf.removeBackend('own');
  });

  it('prepares a wasm backend that was made anew', async () => {
    await useBackend('wasm');
    const factory = tf.findBackendFactory('wasm');
    tf.removeBackend('wasm');
    tf.registerBackend('wasm', factory, 2);
    await useBackend('wasm');
    tf.tidy(() => {
      const x = tf.ones<tf.Rank.R4>([1, 3, 3, 1]);
      expect(tf.sum(tf.conv2d(x, tf.ones([2, 2, 1, 1]), 1, 'valid')).dataSync()[0]).toBe(16);
    });
  });

  it.each([1, 3])(
    'leaves wasm backends to come with our kernels and %i threads, after a reset and a removal',
    async (threads) => {
      if (tf.engine().registry['wasm'] !== undefined) tf.removeBackend('wasm');
      expect((await useBackend('wasm', { threads })).wasm).toMatchObject({ threads });
      for (let again = 0; again < 2; again += 1) {
        tf.engine().reset();
        await tf.setBackend('wasm');
        expectProducts();
        // A backend that runs keeps what it has.
        expect((await useBackend('wasm', { threads: 2 })).wasm).toMatchObject({ threads });
        tf.removeBackend('wasm');
        await useBackend('wasm', { threads });
        expectProducts();
      }
      tf.removeBackend('wasm');
      expect((await useBackend('wasm', { threads: 2 })).wasm).toMatchObject({ threads: 2 });
      tf.removeBackend('wasm');
    },
  );

  it("starts wasm whatever the program's own fetch does", async () => {
    const { fetch } = globalThis;
    globalThis.fetch = () => Promise.reject(new Error('no network'));
    try {
      for (const threads of [1, 2]) {
        expect((await useBackend('wasm', { threads })).wasm).toMatchObject({ threads });
        tf.removeBackend('wasm');
      }
    } finally {
      globalThis.fetch = fetch;
    }
  });

  it('says why the kernels of wasm were not prepared', async () => {
    vi.spyOn(KernelHeap, 'prepare').mockRejectedValueOnce(new Error('no memory'));
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    await expect(useBackend('wasm')).rejects.toThrow('no memory');
    expect(warn).toHaveBeenCalled();
    expect((await useBackend('wasm')).name).toBe('wasm');
  });

  it('registers cpu again after its removal', async () => {
    await useBackend('cpu');
    tf.removeBackend('cpu');
    expect(await useBackend('cpu')).toMatchObject({ name: 'cpu', ownKernels: true });
    expect([...tf.ones([2]).dataSync()]).toEqual([1, 1]);
  });

  it('says what is missing when native TensorFlow is asked for', async () => {
    await expect(useBackend('tensorflow')).rejects.toThrow(
      'Backend `tensorflow` did not start: native TensorFlow is not installed (`npm install -D @multigrad/cli`, then `npx multigrad native install` makes one).',
    );
  });

  it('says why native TensorFlow did not start, and goes on with wasm', async () => {
    const folder = brokenBuild();
    const { name, reason } = await useBackend('auto');
    expect(name).toBe('wasm');
    expect(reason).toContain(`; native TensorFlow did not start: ${folder}: `);
    await expect(useBackend('tensorflow')).rejects.toThrow(/did not start: .*too short/);
  });
});

describe('the entry for browsers', () => {
  it('has the same without native TensorFlow', async () => {
    expect(Object.keys(browser)).toEqual(Object.keys(whole));
    const { reason } = await browser.useBackend('auto');
    expect(reason).toBe(
      'the fastest that needs no installation; ' +
        'there is no `navigator.gpu` (a page needs a browser that has it, and https or localhost)',
    );
    await expect(browser.useBackend('tensorflow')).rejects.toThrow(/not registered/);
  });

  it('never imports a module of Node', async () => {
    const seen = new Set<string>();
    const visit = async (url: URL): Promise<void> => {
      if (seen.has(url.pathname)) return;
      seen.add(url.pathname);
      // Imports of types leave no trace in what is built.
      const text = (await readFile(url, 'utf8')).replaceAll(/import type [^;]+;/g, '');
      const imports = Array.from(
        text.matchAll(/(?:from|import\() ?'([^']+)'/g),
        ([, from]) => from!,
      );
      expect(imports.filter((from) => from.startsWith('node:'))).toEqual([]);
      const own = imports.filter((from) => from.startsWith('.'));
      await Promise.all(own.map((from) => visit(new URL(from, url))));
    };
    await visit(new URL('./browser.ts', import.meta.url));
    expect(seen.size).toBeGreaterThan(10);
    expect([...seen].filter((path) => path.includes('/tensorflow/'))).toEqual([]);
  });
});
