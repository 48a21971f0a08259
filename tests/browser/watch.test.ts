import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { recordedComparison } from '../../packages/cli/src/testing/recorded-comparison.ts';
import { writeComparison } from '../../packages/cli/src/testing/write-comparison.ts';
import { startChromium } from './chromium.ts';
import { type Heard, listenTo, takePicture } from './pages.ts';

// The real program, as `npm run build` made it, watched by a real browser.
const program = join(import.meta.dirname, '../../packages/cli/bin/multigrad.js');

let browser: Browser;
let folder: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-browser-'));
  browser = await startChromium(['--host-resolver-rules=MAP evil.example 127.0.0.1']);
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

interface Program {
  readonly child: ChildProcess;
  /** Waits until what was printed matches. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<number | null>;
}

function start(...args: string[]): Program {
  const child = spawn(process.execPath, [program, ...args], { cwd: folder });
  children.push(child);
  let text = '';
  const waiting: (() => void)[] = [];
  const heard = (data: Buffer): void => {
    text += data.toString();
    for (const look of [...waiting]) look();
  };
  child.stdout.on('data', heard);
  child.stderr.on('data', heard);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    child,
    ended,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(text);
          if (match !== null) resolve(match);
        };
        waiting.push(look);
        look();
        void ended.then(() =>
          reject(new Error(`Ended before it printed ${String(pattern)}:\n${text}`)),
        );
      }),
  };
}

async function watch(out: string): Promise<{ url: URL; watching: Program }> {
  const watching = start('watch', out);
  const [, url] = await watching.printed(/open (\S+) in a browser/);
  return { url: new URL(url!), watching };
}

async function open(url: URL, size = { width: 1200, height: 900 }): Promise<Heard> {
  const page = await browser.newPage({ viewport: size });
  const heard = listenTo(page);
  await page.goto(url.href);
  return heard;
}

const tiny = [
  ...['--train-size', '256', '--test-size', '64', '--batch-size', '32'],
  ...['--width', '4', '--observe', '1', '--preset', 'quick'],
];

type Recorded = ReturnType<typeof recordedComparison>;

/** An output folder of made-up records, whose last run has not ended. */
function makeUp(out: string, { config, runs }: Recorded): Recorded {
  const begun = { config, runs: [...runs.slice(0, -1), { ...runs.at(-1)!, result: null }] };
  writeComparison(join(folder, out), begun);
  return { config, runs };
}

describe('multigrad watch', () => {
  it('follows a training that goes on, to its end, and asks nobody else for anything', async () => {
    const training = start(
      ...['compare', 'cg-mnist', '--strategies', 'sum,mmpareto', '--epochs', '30', ...tiny],
      ...['--out', 'live'],
    );
    await training.printed(/epoch 1\/30/);
    const { url, watching } = await watch('live');
    const { page, complaints, origins } = await open(url);
    await page.waitForSelector('#now svg.marks');
    await takePicture(page, 'live');
    const said = await page.textContent('#now p');
    await page.waitForFunction(
      (before) => document.querySelector('#now p')?.textContent !== before,
      said,
    );
    expect(await training.ended).toBe(0);
    await page.waitForFunction(
      () => document.getElementById('status')?.textContent === 'All runs have ended',
    );
    expect(await page.textContent('#now p')).toBe('All runs have ended: 2 finished.');
    // The same sections, tables and charts as the report that the training wrote.
    const report = readFileSync(join(folder, 'live', 'report.html'), 'utf8');
    const reported = await browser.newPage();
    await reported.setContent(report);
    const outline = (one: Page): Promise<(string | number | null)[][]> =>
      one.evaluate(() =>
        Array.from(document.querySelectorAll('main > section'), (section) => [
          section.id,
          section.querySelectorAll('svg.marks').length,
          section.textContent,
        ]),
      );
    expect((await outline(page)).slice(1)).toEqual(await outline(reported));
    await takePicture(page, 'ended');
    // Only the server's own end makes the browser complain.
    expect(complaints).toEqual([]);
    expect([...origins]).toEqual([url.origin]);
    watching.child.kill('SIGINT');
    expect(await watching.ended).toBe(0);
    await page.waitForFunction(() => document.getElementById('status')?.className === 'lost');
    expect(await page.locator('main > section').count()).toBeGreaterThan(10);
  });

  it('keeps its place when sections change under the reader’s eyes', async () => {
    const recorded = makeUp('scrolled', recordedComparison({ strategies: ['sum'], seeds: [0] }));
    const { url } = await watch('scrolled');
    const { page } = await open(url, { width: 360, height: 700 });
    await page.waitForSelector('#runs-table');
    const box = page.locator('#runs .scroll');
    await box.evaluate((element: HTMLElement) => {
      element.focus();
      element.scrollLeft = 40;
    });
    writeComparison(join(folder, 'scrolled'), recorded);
    await page.waitForFunction(
      () => document.querySelector('#runs td:last-child')?.textContent === 'finished',
    );
    expect(
      await box.evaluate((element) => [element.scrollLeft, element === document.activeElement]),
    ).toEqual([40, true]);
  });

  it('fits a telephone and follows the reader’s colours', async () => {
    makeUp('small', recordedComparison({ strategies: ['sum', 'mmpareto:gamma=2,rescale=tensor'] }));
    const { url } = await watch('small');
    const { page, complaints } = await open(url, { width: 360, height: 700 });
    await page.waitForSelector('#weights svg.marks');
    const overflow = (): Promise<number> =>
      page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(await overflow()).toBeLessThanOrEqual(0);
    await takePicture(page, 'narrow');
    const lightness = (): Promise<number[]> =>
      page.evaluate(() => {
        const bright = (colour: string): number => Number(/\d+/.exec(colour)![0]);
        const style = getComputedStyle(document.body);
        const label = getComputedStyle(document.querySelector('svg.marks text')!);
        return [style.backgroundColor, style.color, label.fill].map(bright);
      });
    const [paper, ink, label] = await lightness();
    expect(paper! - Math.max(ink!, label!)).toBeGreaterThan(150);
    await page.emulateMedia({ colorScheme: 'dark' });
    const [dark, light, darkLabel] = await lightness();
    expect(Math.min(light!, darkLabel!) - dark!).toBeGreaterThan(150);
    await takePicture(page, 'narrow-dark');
    await page.setViewportSize({ width: 1200, height: 900 });
    await takePicture(page, 'dark');
    expect(complaints).toEqual([]);
  });

  it('shows hostile names as the text they are', async () => {
    const name = `</section><script>window.hacked=1</script><img src=x onerror="window.hacked=2"><b>'&`;
    const recorded = recordedComparison({ strategies: ['sum', name], seeds: [0] });
    const poisoned = JSON.stringify(recorded)
      .replaceAll('gray', () => JSON.stringify(name).slice(1, -1))
      .replaceAll('cg-mnist', () => JSON.stringify(name).slice(1, -1));
    makeUp('hostile', JSON.parse(poisoned) as Recorded);
    const { url } = await watch('hostile');
    const { page, complaints } = await open(url);
    await page.waitForSelector('#sources');
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
    expect(await page.locator('main img, main script, main b').count()).toBe(0);
    expect(await page.textContent('#title')).toBe(`${name}: 2 strategies compared`);
    expect(complaints).toEqual([]);
    await takePicture(page, 'hostile');
  });

  it('is closed to other names and to other pages', async () => {
    makeUp('closed', recordedComparison({ strategies: ['sum'], seeds: [0] }));
    const { url } = await watch('closed');
    // Another site's name that points at this machine.
    const page = await browser.newPage();
    const answer = await page.goto(`http://evil.example:${url.port}/`);
    expect(answer?.status()).toBe(403);
    expect(await page.content()).not.toContain('script');
    // A page of another site that asks for the events, or puts the page in a frame.
    const site: Server = createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(`<iframe src="${url.href}"></iframe>`);
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    try {
      await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
      const stolen = await page.evaluate(
        (address) =>
          fetch(address, { mode: 'no-cors' }).then(
            (response) => response.text(),
            () => 'refused',
          ),
        `${url.href}events`,
      );
      expect(stolen).toBe('refused');
      const [, frame] = page.frames();
      expect(frame!.url()).toMatch(/^chrome-error:|^about:blank/);
    } finally {
      site.closeAllConnections();
      await new Promise((resolve) => site.close(resolve));
    }
  });
});
