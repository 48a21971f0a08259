import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startChromium } from './chromium.ts';
import { type Heard, listenTo, takePicture } from './pages.ts';
import { type Served, serveFolder } from './serve-folder.ts';

// The editable example of the site as `npm run docs` built it, in a real browser.

const site = join(import.meta.dirname, '../../docs/.vitepress/dist');

let browser: Browser;
let server: Served;
let context: BrowserContext | undefined;

beforeAll(async () => {
  if (!existsSync(join(site, 'try.html'))) throw new Error('Build the site first: npm run docs');
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

async function open(hash = ''): Promise<Heard> {
  context ??= await browser.newContext({ viewport: { width: 1280, height: 1000 } });
  const page = await context.newPage();
  const heard = listenTo(page);
  await page.goto(`${server.address}try.html${hash}`);
  await page.waitForSelector('.cm-content');
  return heard;
}

const editor = (page: Page): Locator => page.locator('[data-part="editor"]');
const press = (page: Page, name: string): Promise<void> =>
  editor(page).getByRole('button', { name, exact: true }).click();
/** Waits until the run of this number, from 1, has ended in this way. */
const outcome = (page: Page, run: number, phase: string): Promise<unknown> =>
  page
    .waitForSelector(
      `[data-part="editor"][data-run="${run}"]:is(${['ended', 'failed', 'stopped'].map((one) => `[data-phase="${one}"]`).join(', ')})`,
      { timeout: 200_000 },
    )
    .then(async (box) => {
      expect(await box.getAttribute('data-phase'), await printed(page)).toBe(phase);
    });
const printed = (page: Page): Promise<string> => editor(page).getByRole('log').innerText();

async function write(page: Page, program: string): Promise<void> {
  await page.locator('.cm-content').fill(program);
}

describe('the editable example', () => {
  it('trains, prints and draws; another strategy is drawn beside the run before', async () => {
    const { page, complaints, origins } = await open();
    await press(page, 'Run');
    await outcome(page, 1, 'ended');
    expect(await printed(page)).toMatch(/mmpareto \{ epoch: 29, price_loss: 0\.\d+, size_loss/);
    expect(await editor(page).locator('.keys').textContent()).toMatch(/log10 price.*log10 size/);
    await takePicture(page, 'editor-ended');
    const text = page.locator('.cm-line', { hasText: 'const strategy =' }).first();
    await text.click();
    await page.keyboard.press('Home');
    await page.keyboard.press('Shift+End');
    await page.keyboard.type('const strategy = strategies.mgda;');
    await page.keyboard.press('Control+Enter');
    await outcome(page, 2, 'ended');
    expect(await printed(page)).toMatch(/mgda \{ epoch: 29/);
    await takePicture(page, 'editor-second-run');
    expect(complaints).toEqual([]);
    expect([...origins].filter((origin) => origin !== 'null')).toEqual([
      new URL(server.address).origin,
    ]);
  });

  it('runs each of the other examples', async () => {
    const { page, complaints } = await open();
    for (const [run, id, said] of [
      [1, 'own-loop', /step 50/],
      [2, 'numbers', /Nash-MTL Float64Array/],
      [3, 'own-strategy', /ends at \[/],
    ] as const) {
      await editor(page).getByLabel('Example').selectOption(id);
      await press(page, 'Run');
      await outcome(page, run, 'ended');
      expect(await printed(page), id).toMatch(said);
    }
    expect(complaints).toEqual([]);
  });

  it('tells the line of an error: one that cannot be read, one of an import, one that is thrown', async () => {
    const { page, complaints } = await open('#example=numbers');
    let run = 0;
    for (const [program, said] of [
      ['const a = 1;\nconst b = ;\n', /^Line 2: /],
      ["import { x } from 'lodash';\nconsole.log(x);", /^Line 1: There is no module.*`lodash`/],
      [
        "import { integrateMatrix } from '@multigrad/core/strategy';\nimport { mgda } from '@multigrad/strategy-mgda';\n\nintegrateMatrix(mgda(), []);",
        /^Line 4: \w*Error/,
      ],
      [
        'console.log("a");\nconst f = (): void => {\n  throw new TypeError("no");\n};\nf();',
        /Line 3: TypeError: no/,
      ],
    ] as const) {
      await write(page, program);
      await press(page, 'Run');
      run += 1;
      await outcome(page, run, 'failed');
      expect(await printed(page), program).toMatch(said);
      expect(await page.locator('.cm-lintRange-error').count(), program).toBeGreaterThan(0);
    }
    await takePicture(page, 'editor-failed');
    expect(complaints).toEqual([]);
  });

  it('stops a program that never ends, and runs the next one', async () => {
    const { page, complaints } = await open('#example=numbers');
    await write(page, 'console.log("begun");\nfor (;;);');
    await press(page, 'Run');
    await editor(page).getByRole('log').getByText('begun').waitFor();
    await press(page, 'Stop');
    await outcome(page, 1, 'stopped');
    expect(await editor(page).getByRole('status').textContent()).toBe('Stopped.');
    await write(page, 'console.log("again");');
    await press(page, 'Run');
    await outcome(page, 2, 'ended');
    expect(await printed(page)).toBe('again');
    expect(complaints).toEqual([]);
  });

  it('runs no code on the page itself', async () => {
    const { page } = await open('#example=numbers');
    await write(page, 'console.log(typeof document, typeof plot);');
    await press(page, 'Run');
    await outcome(page, 1, 'ended');
    expect(await printed(page)).toBe('undefined function');
  });

  it('has its program in the address when it is asked to, and says where one cannot be read', async () => {
    const { page } = await open();
    await write(page, 'console.log("héllo ⟨u, g⟩");');
    await press(page, 'Put into the address');
    await page.waitForFunction(() => location.hash.startsWith('#code='));
    const again = await open(new URL(page.url()).hash);
    expect(await again.page.locator('.cm-content').innerText()).toBe(
      'console.log("héllo ⟨u, g⟩");',
    );
    const damaged = await open('#code=abc');
    expect(await editor(damaged.page).getByRole('status').textContent()).toMatch(
      /no program that can be read/,
    );
    expect(await damaged.page.locator('.cm-content').innerText()).toContain('Two tasks share');
    expect([...again.complaints, ...damaged.complaints]).toEqual([]);
  });
});
