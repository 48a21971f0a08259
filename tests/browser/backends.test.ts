import type { BackendOptions, BackendReport } from '@multigrad/backends';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltPage, buildPage, isolation } from './built-page.ts';
import type { ServeOptions } from './serve-folder.ts';
import { startChromium } from './chromium.ts';
import { expectSame } from './expect-same.ts';
import type { PageInterface } from './page/main.ts';
import type { Results } from './page/results.ts';

// A page that Vite built of the packages, in Chromium, where graphics devices are played by the processor.

let browser: Browser;
let built: BuiltPage;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  built = await buildPage();
  browser = await startChromium(['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']);
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

afterAll(async () => {
  await browser.close();
  built.remove();
});

interface Opened {
  readonly page: Page;
  /** Warnings and errors that the browser printed. */
  readonly complaints: string[];
}

async function open(options: ServeOptions): Promise<Opened> {
  const served = await built.serve(options);
  const page = await browser.newPage();
  closing.push(async () => {
    await page.close();
    await served.close();
  });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(served.address);
  await page.waitForFunction(() => document.title === 'ready');
  return { page, complaints };
}

/** Calls `useBackend` in the page. */
function use(page: Page, name: string, options: BackendOptions = {}): Promise<BackendReport> {
  return page.evaluate(
    ([backend, given]) => {
      const { multigrad } = globalThis as unknown as { readonly multigrad: PageInterface };
      return multigrad.useBackend(backend, given);
    },
    [name, options] as const,
  );
}

function compute(page: Page, name: string): Promise<Results> {
  return page.evaluate((backend) => {
    const { multigrad } = globalThis as unknown as { readonly multigrad: PageInterface };
    return multigrad.results(backend);
  }, name);
}

describe('a page that is isolated from others', () => {
  it('computes on threads of wasm what it computes on cpu', async () => {
    const { page, complaints } = await open({ headers: isolation });
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    const cpu = await compute(page, 'cpu');
    expect(await use(page, 'wasm', { threads: 3 })).toMatchObject({
      name: 'wasm',
      wasm: { threads: 3, threadsReason: 'asked for', simd: 'relaxed' },
    });
    // The page's own thread, and two.
    expect(page.workers()).toHaveLength(2);
    expectSame(await compute(page, 'wasm'), cpu);
    expect(complaints).toEqual([]);
  });

  it.each(['webgpu', 'webgl'])('computes on %s what it computes on cpu', async (backend) => {
    const { page } = await open({ headers: isolation });
    const cpu = await compute(page, 'cpu');
    const found = await compute(page, backend);
    expect(found.report).toMatchObject({ name: backend, reason: 'asked for' });
    expect(found.report.gpu).toMatchObject({
      device: expect.stringMatching(/swiftshader/i) as string,
      software: true,
    });
    expectSame(found, cpu);
  });

  it('says so when its policy refuses workers, and which line allows them', async () => {
    const policy = { 'Content-Security-Policy': "worker-src 'none'" };
    const { page } = await open({ headers: { ...isolation, ...policy } });
    const { wasm } = await use(page, 'wasm', { threads: 2 });
    expect(wasm?.threads).toBe(1);
    expect(wasm?.threadsReason).toMatch(
      /^asked for; 1 of 2 are missing: thread 1 did not start: the page refused it .*`worker-src blob:`/,
    );
  });

  it('computes the same when workers are ended in the midst of it', async () => {
    const { page, complaints } = await open({ headers: isolation });
    const cpu = await compute(page, 'cpu');
    await page.evaluate(() => {
      // The page's own workers, within the test's reach.
      const { Worker } = globalThis;
      const started: Worker[] = [];
      globalThis.Worker = class extends Worker {
        constructor(...given: ConstructorParameters<typeof Worker>) {
          super(...given);
          started.push(this);
        }
      };
      Object.assign(globalThis, { started });
    });
    expect((await use(page, 'wasm', { threads: 4 })).wasm?.threads).toBe(4);
    for (const index of [0, 1, 2]) {
      await page.evaluate((number) => {
        // It ends at once or a little later, with or without work in its hands.
        (globalThis as unknown as { started: Worker[] }).started[number]!.terminate();
      }, index);
      expectSame(await compute(page, 'wasm'), cpu);
    }
    expect(complaints).toEqual([]);
  });

  // As long as answers of workers are waited for.
  it('goes on after 10 s where workers never load', async () => {
    const { page } = await open({ headers: isolation });
    // A program that never begins.
    await page.evaluate(() => {
      globalThis.Worker = class extends globalThis.Worker {
        constructor() {
          super(URL.createObjectURL(new Blob([''], { type: 'text/javascript' })));
        }
      };
    });
    const { wasm } = await use(page, 'wasm', { threads: 2 });
    expect(wasm).toMatchObject({
      threads: 1,
      threadsReason: 'asked for; 1 of 2 are missing: 1 did not answer in time',
    });
    expectSame(await compute(page, 'wasm'), await compute(page, 'cpu'));
  });

  it('takes wasm by itself where the processor plays the graphics device', async () => {
    const { page, complaints } = await open({ headers: isolation });
    const { name, reason, wasm } = await use(page, 'auto');
    expect(name).toBe('wasm');
    expect(reason).toBe(
      'the fastest that needs no installation; WebGPU is played by the processor (google swiftshader)',
    );
    expect(wasm?.threads).toBe(
      await page.evaluate(() => Math.min(8, navigator.hardwareConcurrency)),
    );
    expect(complaints).toEqual([]);
  });

  it('takes WebGPU by itself where a graphics device answers', async () => {
    const { page } = await open({ headers: isolation });
    await page.evaluate(() => {
      // The adapter of the tests, under the name of a device.
      const { gpu } = navigator as unknown as {
        readonly gpu: { requestAdapter: (options: object) => Promise<object> };
      };
      const ask = gpu.requestAdapter.bind(gpu);
      gpu.requestAdapter = async (options) => {
        const info = { vendor: 'maker', architecture: 'model', description: '' };
        return Object.defineProperty(await ask(options), 'info', { value: info });
      };
    });
    expect(await use(page, 'auto')).toMatchObject({
      name: 'webgpu',
      reason: 'a graphics device answers',
      gpu: { device: 'maker model', software: false },
    });
  });
});

describe('a page that is not isolated', () => {
  it('computes on one thread of wasm, and says what threads need', async () => {
    const { page, complaints } = await open({});
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    const cpu = await compute(page, 'cpu');
    const { wasm } = await use(page, 'wasm', { threads: 4 });
    expect(wasm).toMatchObject({ threads: 1, simd: 'relaxed' });
    expect(wasm?.threadsReason).toMatch(/Cross-Origin-Embedder-Policy: require-corp$/);
    expectSame(await compute(page, 'wasm'), cpu);
    expect(complaints).toEqual([]);
  });

  it('goes on with cpu, and says why, where wasm does not start', async () => {
    const { page } = await open({});
    // As under a policy without `wasm-unsafe-eval`.
    await page.evaluate(() => {
      WebAssembly.compile = () => Promise.reject(new Error('refused by the policy'));
    });
    const { name, reason } = await use(page, 'auto');
    expect(name).toBe('cpu');
    expect(reason).toMatch(/^wasm did not start: refused by the policy/);
  });

  it('asks for no file of its own', async () => {
    const { page, complaints } = await open({});
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    expect((await use(page, 'wasm')).name).toBe('wasm');
    expect(asked.filter((url) => !url.endsWith('.js'))).toEqual([]);
    expect(complaints).toEqual([]);
  });
});

it('says what is missing where there is no WebGPU', async () => {
  const { page } = await open({});
  await page.evaluate(() => {
    Object.defineProperty(navigator, 'gpu', { value: undefined });
  });
  await expect(use(page, 'webgpu')).rejects.toThrow(
    /Backend `webgpu` did not start: there is no `navigator\.gpu` \(a page needs a browser that has it/,
  );
  expect((await use(page, 'auto')).reason).toContain('; there is no `navigator.gpu`');
});
