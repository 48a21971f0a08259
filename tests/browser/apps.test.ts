import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { installPacked } from '../install-packed.ts';
import { startChromium } from './chromium.ts';
import { listenTo } from './pages.ts';
import { serveFolder } from './serve-folder.ts';

// The applications of examples/ as their users have them: packed packages in a folder outside the workspace, the bundler
// from its command line, the page in Chromium. Training ends on wasm, on several threads, and neither the bundler nor the
// page prints a warning.

let browser: Browser;
const folders: string[] = [];
const servers: (() => void | Promise<void>)[] = [];

beforeAll(async () => {
  browser = await startChromium();
});

afterEach(async () => {
  for (const close of servers.splice(0)) await close();
});

afterAll(async () => {
  await browser.close();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function install(example: string, without: readonly string[] = []): string {
  const folder = installPacked(example, { without });
  folders.push(folder);
  return folder;
}

/** What a bundler prints, on both of its outputs. */
function bundle(folder: string, program: string, ...given: string[]): string {
  const command = [join(folder, 'node_modules', program), ...given];
  return execFileSync('sh', ['-c', '"$@" 2>&1', 'sh', process.execPath, ...command], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NODE_ENV: undefined, NO_COLOR: '1' },
  });
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Runs a server of Vite's until the test ends; resolves to its address once it answers, and to what it prints. */
async function serveByVite(
  folder: string,
  ...given: string[]
): Promise<{ address: string; printed: () => string }> {
  const port = await freePort();
  const vite = join(folder, 'node_modules/vite/bin/vite.js');
  const child: ChildProcess = spawn(
    process.execPath,
    [vite, ...given, '--host', '127.0.0.1', '--port', String(port), '--strictPort'],
    { cwd: folder, env: { ...process.env, NODE_ENV: undefined, NO_COLOR: '1' } },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  servers.push(async () => {
    child.kill();
    await ended;
  });
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const hear = (data: Buffer): void => {
      output += data.toString();
      if (output.includes('Local:')) resolve();
    };
    child.stdout!.on('data', hear);
    child.stderr!.on('data', hear);
    child.once('exit', () => reject(new Error(`Vite ended: ${output}`)));
  });
  return { address: `http://127.0.0.1:${port}/`, printed: () => output };
}

/** Trains in the page at an address, and checks what it reached. */
async function train(address: string, threads: RegExp): Promise<void> {
  const { page, complaints } = listenTo(await browser.newPage());
  try {
    const refused: string[] = [];
    page.on('response', (response) => {
      if (response.status() >= 400) refused.push(response.url());
    });
    await page.goto(address);
    await page.click('#start');
    const status = page.locator('#status');
    await page.waitForFunction(() =>
      /done|Failed|did not start/.test(document.getElementById('status')!.textContent),
    );
    const text = (await status.textContent())!;
    const found =
      /^Epoch 30 of 30: inside (?<inside>[\d.]+), distance (?<distance>[\d.]+) \(done\)$/.exec(
        text,
      );
    expect(found, text).not.toBeNull();
    // The page of the documentation says so.
    expect(Number(found!.groups!['inside'])).toBeLessThan(0.1);
    expect(Number(found!.groups!['distance'])).toBeLessThan(0.01);
    expect(await page.textContent('#backend')).toMatch(/^Backend wasm /);
    expect(await page.textContent('#backend')).toMatch(threads);
    expect(await page.locator('#progress').evaluate((bar: HTMLProgressElement) => bar.value)).toBe(
      30,
    );
    expect(complaints).toEqual([]);
    expect(refused).toEqual([]);
  } finally {
    await page.close();
  }
}

const several = /threads: ([2-8]) \(\d+ run at once here, 8 at most\)$/;
const one = /threads: 1 \(threads need a page that is isolated from others: /;

describe('the application of Vite', () => {
  let folder: string;
  beforeAll(() => {
    folder = install('vite');
  }, 120_000);

  it('has sound types', () => {
    expect(bundle(folder, 'typescript/bin/tsc')).toBe('');
  });

  it('trains on the development server', async () => {
    const { address, printed } = await serveByVite(folder);
    await train(address, several);
    expect(printed()).not.toMatch(/warn|error/i);
  });

  it('trains when it is built, by its preview server and by any other', async () => {
    expect(bundle(folder, 'vite/bin/vite.js', 'build')).not.toMatch(/warn|error|\(!\)/i);
    const { address } = await serveByVite(folder, 'preview');
    await train(address, several);
    const plain = await serveFolder(join(folder, 'dist'));
    servers.push(() => plain.close());
    await train(plain.address, one);
  });

  it('stops when it is told to', async () => {
    const { address } = await serveByVite(folder);
    const page = await browser.newPage();
    await page.goto(address);
    await page.evaluate(() => {
      document.getElementById('start')!.click();
      document.getElementById('stop')!.click();
    });
    await page.locator('#status').filter({ hasText: '(stopped)' }).waitFor();
    expect(await page.textContent('#status')).not.toContain('Epoch 30');
    expect(await page.isEnabled('#start')).toBe(true);
    await page.close();
  });
});

it('the application of webpack trains when it is built', async () => {
  const folder = install('webpack', ['serve']);
  const printed = bundle(folder, 'webpack/bin/webpack.js');
  expect(printed).toContain('compiled');
  expect(printed).not.toMatch(/warning|error/i);
  const { headers } = JSON.parse(readFileSync(join(folder, 'serve.json'), 'utf8')) as {
    headers: { headers: { key: string; value: string }[] }[];
  };
  const pairs = headers[0]!.headers.map(({ key, value }) => [key, value] as const);
  const served = await serveFolder(folder, { headers: Object.fromEntries(pairs) });
  servers.push(() => served.close());
  await train(served.address, several);
});
