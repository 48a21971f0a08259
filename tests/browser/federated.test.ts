import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { installPacked } from '../install-packed.ts';
import { startChromium } from './chromium.ts';
import { listenTo } from './pages.ts';

// The example of pages that train on their own data, as its users have it: packed packages, the built page, its server.

let browser: Browser;
let folder: string;

beforeAll(async () => {
  browser = await startChromium();
  folder = installPacked('federated');
  const vite = join(folder, 'node_modules/vite/bin/vite.js');
  execFileSync(
    process.execPath,
    [vite, 'build', 'page', '--outDir', '../dist', '--emptyOutDir', '--logLevel', 'error'],
    { cwd: folder, env: { ...process.env, NODE_ENV: undefined } },
  );
}, 600_000);

afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

/** Starts the server, and waits until it says where it is. */
async function serve(): Promise<{
  server: ChildProcess;
  address: string;
  printed: () => string;
  ended: Promise<number | null>;
}> {
  const given = ['clients=4', 'rounds=4', 'patience=300', 'port=0'];
  const server = spawn(process.execPath, ['server/main.js', ...given], { cwd: folder });
  let output = '';
  const ended = new Promise<number | null>((resolve) => server.once('close', resolve));
  const address = await new Promise<string>((resolve, reject) => {
    const hear = (data: Buffer): void => {
      output += data.toString();
      const found = /Open (http:\/\/[^/]+\/)/.exec(output);
      if (found !== null) resolve(found[1]!);
    };
    server.stdout.on('data', hear);
    server.stderr.on('data', hear);
    void ended.then(() => reject(new Error(output)));
  });
  return { server, address, printed: () => output, ended };
}

it('three pages train together, and a fourth one that leaves in the middle keeps nobody waiting', async () => {
  const { server, address, printed, ended } = await serve();
  const pages: Page[] = [];
  try {
    const heard = await Promise.all(
      [0, 1, 2].map(async (client) => {
        const one = listenTo(await browser.newPage());
        pages.push(one.page);
        await one.page.goto(`${address}?client=${client}&clients=3`);
        return one;
      }),
    );
    // It joins, gets the first round, and is closed without an answer.
    const fourth = await browser.newPage();
    const round = await fourth.evaluate(
      async (url) =>
        new Promise<string>((resolve) => {
          const socket = new WebSocket(url);
          socket.onopen = () => socket.send('{"type":"join"}');
          socket.onmessage = ({ data }: MessageEvent<string>) => resolve(data);
        }),
      address.replace('http', 'ws'),
    );
    expect(JSON.parse(round)).toMatchObject({ type: 'round', round: 1 });
    await fourth.close();

    for (const { page, complaints } of heard) {
      await page.waitForFunction(
        () => /Done|Failed/.test(document.getElementById('status')!.textContent),
        undefined,
        { timeout: 500_000 },
      );
      const text = (await page.textContent('#status'))!;
      const numbers =
        /^Done after 4 rounds\. Averaged: inside ([\d.]+), distance ([\d.]+)\. Alone: inside ([\d.]+), distance ([\d.]+)\.$/.exec(
          text,
        );
      expect(numbers, text).not.toBeNull();
      const [inside, distance, insideAlone, distanceAlone] = numbers!.slice(1).map(Number);
      expect(inside).toBeLessThan(insideAlone!);
      expect(distance).toBeLessThan(distanceAlone!);
      expect(complaints).toEqual([]);
    }
    expect(await ended).toBe(0);
    const said = printed();
    expect(said).toMatch(/Client \d has left\.\n/);
    for (const number of [1, 2, 3, 4]) {
      expect(said).toContain(`Round ${number} of 4: 3 clients, 768 samples.\n`);
    }
  } finally {
    server.kill();
    for (const page of pages) await page.close();
  }
});
