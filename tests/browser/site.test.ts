import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startChromium } from './chromium.ts';
import { serveFolder } from './serve-folder.ts';

// The site as `npm run docs` built it, in a real browser.

const site = join(import.meta.dirname, '../../docs/.vitepress/dist');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Where pictures of the pages go, for people to look at. */
const pictures = process.env['PICTURES'];

/** One page of each kind. */
const kinds = {
  home: '',
  guide: 'getting-started.html',
  pictures: 'concepts.html',
  table: 'strategies.html',
  playground: 'playground.html',
  migration: 'from-torchjd.html',
  package: 'packages/strategy-mmpareto.html',
  'list of symbols': 'reference/@multigrad/core/index.html',
  function: 'reference/@multigrad/core/functions/integrateGradients.html',
  interface: 'reference/@multigrad/core/strategy/interfaces/GradientStrategy.html',
  class: 'reference/@multigrad/core/classes/MultiObjectiveTrainer.html',
  'a page that is not there': '404.html',
};

let browser: Browser;
let server: Awaited<ReturnType<typeof serveFolder>>;
let context: BrowserContext | undefined;

beforeAll(async () => {
  if (!existsSync(join(site, 'index.html'))) throw new Error('Build the site first: npm run docs');
  [browser, server] = await Promise.all([startChromium(), serveFolder(site)]);
});

afterEach(async () => {
  await context?.close();
  context = undefined;
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

interface Opened {
  readonly page: Page;
  /** What the browser complained about. */
  readonly complaints: string[];
  /** Hosts that were asked for anything. */
  readonly hosts: Set<string>;
}

async function takePicture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

async function open(path: string): Promise<Opened> {
  context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (asked) => hosts.add(new URL(asked.url()).host));
  await page.goto(server.address + path);
  // The page's own script has taken over from the HTML.
  await page.waitForFunction(() => {
    const app = document.querySelector('#app');
    return app !== null && '__vue_app__' in app;
  });
  return { page, complaints, hosts };
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() =>
    (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}

const looks = [
  { width: 1280, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
  { width: 400, colorScheme: 'dark' },
  { width: 400, colorScheme: 'light' },
] as const;

it.each(Object.entries(kinds))(
  '%s: can be read wide and narrow, light and dark',
  async (kind, path) => {
    const { page, complaints, hosts } = await open(path);
    expect(await page.title()).toMatch(/multigrad/);
    expect(await page.locator('h1').count()).toBe(1);
    const unsaid = page.locator('main img:not([alt]), main svg.figure:not([aria-label])');
    expect(await unsaid.count()).toBe(0);
    for (const { width, colorScheme } of looks) {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      const look = `${kind.replaceAll(' ', '-')}-${width}-${colorScheme}`;
      await takePicture(page, look);
      expect(await violations(page), look).toEqual([]);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - window.innerWidth,
      );
      expect(overflow, look).toBeLessThanOrEqual(0);
    }
    expect(complaints).toEqual([]);
    expect([...hosts]).toEqual([new URL(server.address).host]);
  },
);

describe('the keyboard', () => {
  it('reaches the content first, then the menus from top to bottom', async () => {
    const { page } = await open('getting-started.html');
    const focused: { text: string; top: number; left: number }[] = [];
    for (let i = 0; i < 12; i += 1) {
      await page.keyboard.press('Tab');
      focused.push(
        await page.evaluate(() => {
          const box = document.activeElement!.getBoundingClientRect();
          return { text: document.activeElement!.textContent.trim(), top: box.top, left: box.left };
        }),
      );
    }
    expect(focused[0]?.text).toBe('Skip to content');
    const entries = focused.slice(-4);
    expect(entries.map(({ top }) => top)).toEqual(
      entries.map(({ top }) => top).toSorted((a, b) => a - b),
    );
  });

  it('finds a page by its words, without asking another host', async () => {
    const { page, hosts, complaints } = await open('getting-started.html');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('stationary');
    await page.waitForSelector('.VPLocalSearchBox .result');
    await page.keyboard.press('Enter');
    await page.waitForFunction(
      () =>
        !location.pathname.endsWith('getting-started.html') &&
        /stationar/i.test(document.querySelector('main')?.textContent ?? ''),
    );
    expect([...hosts]).toEqual([new URL(server.address).host]);
    expect(complaints).toEqual([]);
  });
});
