import { existsSync, readdirSync, readFileSync } from 'node:fs';
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
  'playground, training': 'playground.html',
  'playground, plane': 'playground.html#view=plane',
  'playground, paths': 'playground.html#view=paths',
  'an address that is damaged': 'playground.html#view=plane&show=nothing',
  'editable example': 'try.html',
  figures: 'results.html',
  migration: 'from-torchjd.html',
  package: 'packages/strategy-mmpareto.html',
  'list of all symbols': 'reference/index.html',
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

describe('the home page', () => {
  it('shows a result, what to install, where to play, the version and the repository', async () => {
    const { page, complaints } = await open('');
    const header = page.locator('header');
    await header.locator('img.logo').waitFor();
    const links = await header
      .locator('a')
      .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
    expect(links).toContain(`${server.address}playground.html`);
    expect(links).toContain(`${server.address}try.html`);
    expect(links.some((link) => /^https:\/\/github\.com\/[\w-]+\/[\w-]+$/.test(link))).toBe(true);
    const { version } = JSON.parse(
      readFileSync(join(site, '../../../packages/core/package.json'), 'utf8'),
    ) as { version: string };
    expect(await header.textContent()).toContain(`v${version}`);
    expect(await page.locator('.home-result svg.figure[aria-label*="PyTorch"]').count()).toBe(1);
    await page.locator('.home-columns .language-sh').hover();
    await page.locator('.home-columns .language-sh button.copy').click();
    await page.locator('.home-columns .language-sh button.copied').waitFor();
    expect(complaints).toEqual([]);
  });

  it('tells those who show a preview of it what to show', async () => {
    const { page } = await open('');
    const meta = async (name: string): Promise<string | null> =>
      page.locator(`meta[property="${name}"], meta[name="${name}"]`).getAttribute('content');
    expect(await meta('og:title')).toContain('multigrad');
    expect(await meta('description')).toContain('TensorFlow.js');
    expect(await meta('og:description')).toContain('TensorFlow.js');
    expect(await meta('twitter:card')).toBe('summary_large_image');
    const image = new URL((await meta('og:image'))!);
    expect(image.protocol).toBe('https:');
    const png = readFileSync(join(site, image.pathname));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1200, 630]);
    expect([await meta('og:image:width'), await meta('og:image:height')]).toEqual(['1200', '630']);
  });

  it('loads neither the editor nor TensorFlow.js', async () => {
    const { page } = await open('');
    await page.waitForLoadState('networkidle');
    const scripts = await page.evaluate(() =>
      (performance.getEntriesByType('resource') as PerformanceResourceTiming[])
        .map(({ name, encodedBodySize }) => ({ name, encodedBodySize }))
        .filter(({ name }) => name.endsWith('.js')),
    );
    expect(
      scripts.map(({ name }) => name).filter((name) => /code-editor|worker/.test(name)),
    ).toEqual([]);
    const kilobytes = scripts.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0) / 1024;
    expect(kilobytes).toBeLessThan(600);
  });
});

it('typesets formulas', async () => {
  const { page, complaints } = await open('packages/strategy-mmpareto.html');
  const sum = page.locator('main math', { hasText: '∑' }).first();
  expect((await sum.boundingBox())!.height).toBeGreaterThan(5);
  expect(await page.locator('main math merror').count()).toBe(0);
  expect(complaints).toEqual([]);
});

it('describes every package and every symbol where the reference begins', async () => {
  const { page } = await open('reference/index.html');
  const rows = await page
    .locator('main tbody tr')
    .evaluateAll((all) =>
      all.map((row) => Array.from(row.querySelectorAll('td'), (cell) => cell.textContent.trim())),
    );
  expect(rows.length).toBeGreaterThan(300);
  for (const [name, kind, text] of rows) {
    expect(kind, name).toMatch(/^(class|function|interface|constant|type|enumeration)$/);
    expect(text!.length, name).toBeGreaterThan(5);
  }
  const titles = await page.locator('main h2').allTextContents();
  const packages = readdirSync(join(site, '../../../packages'));
  for (const name of packages)
    expect(
      titles.some((title) => title.trim().startsWith(`@multigrad/${name}`)),
      name,
    ).toBe(true);
  for (const text of await page.locator('main h2 + p').allTextContents())
    expect(text.length).toBeGreaterThan(20);
});

describe('the search', () => {
  it.each([
    ['mmpareto', /packages\/strategy-mmpareto\.html/],
    ['conflict', /\/choosing-a-strategy\.html#is-there-a-conflict/],
    ['learning rate', /\/adam\.html/],
    ['checkpoint', /\/packages\/checkpoint\.html/],
    ['freeze', /\/fine-tuning\.html/],
    ['csv', /\/packages\/callbacks\.html|\/your-data\.html/],
    ['custom strategy', /\/writing-a-strategy\.html/],
  ])('shows the page that answers it first: %s', async (query, expected) => {
    const { page } = await open('getting-started.html');
    await page.keyboard.press('Control+k');
    await page.waitForSelector('.VPLocalSearchBox input:focus');
    await page.keyboard.type(query);
    // The list follows the letters: it stands when it is the same at two looks.
    let before = '';
    await page.waitForSelector('.VPLocalSearchBox .result.selected');
    await expect
      .poll(
        async () => {
          const now = await page.locator('.VPLocalSearchBox .results').innerText();
          const same = now === before;
          before = now;
          return same;
        },
        { interval: 400, timeout: 20_000 },
      )
      .toBe(true);
    const links = await page
      .locator('.VPLocalSearchBox .result')
      .evaluateAll((all) => all.map((link) => link.getAttribute('href')));
    expect(links[0], links.slice(0, 5).join(' ')).toMatch(expected);
  });
});

describe('the keyboard', () => {
  it('reaches the content first, then the menus from top to bottom', async () => {
    const { page } = await open('getting-started.html');
    const focused: { text: string; top: number; left: number }[] = [];
    for (let i = 0; i < 18; i += 1) {
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
      '.VPLocalSearchBox .result.selected:has(mark:text-matches("stationar", "i"))',
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
