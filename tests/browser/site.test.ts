import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startChromium } from './chromium.ts';
import { type Heard, listenTo, takePicture } from './pages.ts';
import { type Served, serveFolder } from './serve-folder.ts';

// The site as `npm run docs` built it, in a real browser.

const site = join(import.meta.dirname, '../../docs/.vitepress/dist');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

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
let server: Served;
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

async function open(path: string): Promise<Heard> {
  context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const heard = listenTo(page);
  await page.goto(server.address + path);
  // The page's own script has taken over from the HTML.
  await page.waitForFunction(() => {
    const app = document.querySelector('#app');
    return app !== null && '__vue_app__' in app;
  });
  return heard;
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
    const { page, complaints, origins } = await open(path);
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
    expect([...origins]).toEqual([new URL(server.address).origin]);
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
    const { page, origins, complaints } = await open('getting-started.html');
    await page.keyboard.press('Control+k');
    // The box comes when its script is there, and lists hits of the first letters while the others are typed.
    await page.waitForSelector('.VPLocalSearchBox input:focus');
    await page.keyboard.type('stationary');
    await page.waitForSelector(
      '.VPLocalSearchBox .result.selected:has(mark:text-matches("stationary", "i"))',
    );
    await page.keyboard.press('Enter');
    await page.waitForFunction(
      () =>
        !location.pathname.endsWith('getting-started.html') &&
        /stationar/i.test(document.querySelector('main')?.textContent ?? ''),
    );
    expect([...origins]).toEqual([new URL(server.address).origin]);
    expect(complaints).toEqual([]);
  });
});
