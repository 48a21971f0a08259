import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { integrateMatrix } from '@multigrad/core/strategy';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { shown } from '../../docs/playground/numbers.ts';
import { advance, lineUp } from '../../docs/playground/paths/race.ts';
import { lossesAt } from '../../docs/playground/paths/two-valleys.ts';
import { strategiesNamed } from '../../docs/playground/plane/strategies.ts';

import { startChromium } from './chromium.ts';
import { type Heard, listenTo, takePicture } from './pages.ts';
import { type Served, serveFolder } from './serve-folder.ts';

// The playground of the site as `npm run docs` built it, in a real browser.

const site = join(import.meta.dirname, '../../docs/.vitepress/dist');

let browser: Browser;
let server: Served;
let context: BrowserContext | undefined;

beforeAll(async () => {
  if (!existsSync(join(site, 'playground.html')))
    throw new Error('Build the site first: npm run docs');
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

async function open(hash: string, look: object = {}): Promise<Heard> {
  context ??= await browser.newContext({ viewport: { width: 1280, height: 1000 }, ...look });
  const page = await context.newPage();
  const heard = listenTo(page);
  await page.goto(`${server.address}playground.html${hash}`);
  await page.waitForSelector('.playground[data-ready="true"]');
  await page.waitForSelector('[data-part="paths"][data-ready="true"]', { state: 'attached' });
  return heard;
}

const part = (page: Page, name: string): Locator => page.locator(`[data-part="${name}"]`);

/** The gradients that the fields of the plane show. */
async function gradientsOf(page: Page): Promise<number[][]> {
  const values = await part(page, 'plane')
    .locator('.coordinates')
    .evaluateAll((rows) =>
      rows.map((row) => Array.from(row.querySelectorAll('input'), (field) => field.valueAsNumber)),
    );
  return values;
}

const strategies = { sum: sum(), mmpareto: mmpareto(), pcgrad: pcgrad({ seed: 1 }), mgda: mgda() };

/** The table of the plane should have the weights that the packages give for these gradients. */
async function expectWeights(page: Page, gradients: readonly number[][]): Promise<void> {
  for (const [id, strategy] of Object.entries(strategies)) {
    const { weights } = integrateMatrix(strategy, gradients);
    const cells = part(page, 'plane').locator(`tr[data-strategy="${id}"] .weight`);
    const texts = (await cells.allTextContents()).map((text) => text.trim());
    expect(texts, id).toEqual(Array.from(weights, (weight) => shown(weight, 3)));
  }
}

const head = (page: Page, name: string): Locator =>
  page.getByRole('slider', { name: `Gradient ${name}` });

async function drag(page: Page, name: string, by: readonly [number, number]): Promise<void> {
  await head(page, name).scrollIntoViewIfNeeded();
  const box = (await head(page, name).boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + by[0] / 2, y + by[1] / 2, { steps: 3 });
  await page.mouse.move(x + by[0], y + by[1], { steps: 3 });
  await page.mouse.up();
}

describe('gradients in the plane', () => {
  it('have the weights that the packages give, also after a drag, and stand in the address', async () => {
    const { page, complaints, origins } = await open('#view=plane');
    await takePicture(page, 'playground-plane');
    const before = await gradientsOf(page);
    await expectWeights(page, before);
    await drag(page, 'A', [-70, -90]);
    const after = await gradientsOf(page);
    expect(after[0]![0]).toBeLessThan(before[0]![0]!);
    expect(after[0]![1]).toBeGreaterThan(before[0]![1]!);
    expect(after[1]).toEqual(before[1]);
    await expectWeights(page, after);
    await page.waitForFunction(() => location.hash.includes('&g='));
    const again = await open(new URL(page.url()).hash);
    expect(await gradientsOf(again.page)).toEqual(after);
    expect([...complaints, ...again.complaints]).toEqual([]);
    expect([...origins]).toEqual([new URL(server.address).origin]);
  });

  it('are moved by the keyboard', async () => {
    const { page, complaints } = await open('#view=plane');
    await head(page, 'A').focus();
    for (const key of ['ArrowLeft', 'ArrowLeft', 'Shift+ArrowUp', 'Alt+ArrowDown'])
      await page.keyboard.press(key);
    const gradients = [
      [0.6, 0.79],
      [-2, 1.6],
    ];
    expect(await gradientsOf(page)).toEqual(gradients);
    await expectWeights(page, gradients);
    expect(await head(page, 'A').getAttribute('aria-valuetext')).toBe('0.60 and 0.79, length 0.99');
    expect(complaints).toEqual([]);
  });

  it('say where no direction lowers every loss', async () => {
    const { page } = await open('#view=plane');
    const status = part(page, 'plane').getByRole('status');
    await page.getByRole('button', { name: 'Nearly opposite' }).click();
    expect(await status.textContent()).toMatch(/cone of common descent is \d+° wide/);
    await page.getByRole('button', { name: 'Pareto stationary' }).click();
    expect(await status.textContent()).toMatch(/cone of common descent is empty.*stationary/);
    await expectWeights(page, await gradientsOf(page));
    await takePicture(part(page, 'plane'), 'playground-stationary');
  });
});

describe('paths', () => {
  it('are those of the packages, from the usual points and from where one clicks', async () => {
    const { page, complaints } = await open('#view=paths');
    const paths = part(page, 'paths');
    await paths.getByLabel('Steps at a time').selectOption('100');
    await paths.locator('[data-strategy="mgda"] svg').click({ position: { x: 30, y: 150 } });
    await paths.getByRole('button', { name: 'Step', exact: true }).click();
    const starts = await paths
      .locator('[data-strategy="mgda"] .start')
      .evaluateAll((marks) =>
        marks.map((mark) => [Number(mark.getAttribute('cx')), Number(mark.getAttribute('cy'))]),
      );
    expect(starts).toHaveLength(6);
    const places = starts.map(([x, y]) => [(x! / 150 - 1) * 11, (1 - y! / 150) * 11] as const);
    expect(places[0]![0]).toBeCloseTo(-8.5, 9);
    const rounded = places.map(([x, y]) => [Number(x.toFixed(1)), Number(y.toFixed(1))] as const);
    const [lane] = advance(
      lineUp(strategiesNamed(['mgda']), rounded),
      { kind: 'adam', rate: 0.01 },
      100,
    );
    const means = lane!.paths.map(({ descent }) => {
      const [first, second] = lossesAt(descent.point);
      return shown((first + second) / 2, 1);
    });
    expect(await paths.locator('[data-strategy="mgda"] p').first().textContent()).toContain(
      means.join('; '),
    );
    expect(complaints).toEqual([]);
  });

  it('play, pause and start again', async () => {
    const { page, complaints } = await open('#view=paths');
    const paths = part(page, 'paths');
    await paths.getByRole('button', { name: 'Play' }).click();
    await page.waitForFunction(() =>
      /Step \d{3,}/.test(document.querySelector('[data-part="paths"] .count')!.textContent),
    );
    await paths.getByRole('button', { name: 'Pause' }).click();
    expect(await paths.getByRole('status').textContent()).toMatch(/^After \d+ steps.*MGDA \d of 5/);
    await takePicture(paths, 'playground-paths');
    await paths.getByRole('button', { name: 'Start again' }).click();
    expect(await paths.locator('.count').textContent()).toMatch(/Step 0 of/);
    expect(complaints).toEqual([]);
  });
});

/** Waits until both have made so many steps. */
async function trained(page: Page, least: number): Promise<void> {
  await page.waitForFunction(
    (steps) => {
      const box = document.querySelector('[data-part="training"]')!;
      const counts = Array.from(box.querySelectorAll('.steps'), (cell) => Number(cell.textContent));
      const failed = box.getAttribute('data-phase') === 'failed';
      return failed || (counts.length === 2 && counts.every((count) => count >= steps));
    },
    least,
    { timeout: 200_000 },
  );
}

/** The rows of the table of the training, by their names. */
async function trainingRows(page: Page): Promise<Map<string, string[]>> {
  const rows = await part(page, 'training')
    .locator('tbody tr')
    .evaluateAll((all) =>
      all.map((row) =>
        Array.from(row.querySelectorAll('th, td'), (cell) => cell.textContent.trim()),
      ),
    );
  return new Map(rows.map(([name, ...values]) => [name!, values]));
}

describe('training in the tab', () => {
  it('is what the page opens on, begins by itself and shows the difference within a hundred steps', async () => {
    const { page, complaints, origins } = await open('');
    const training = part(page, 'training');
    await trained(page, 100);
    await takePicture(page, 'playground-opens');
    await training.getByRole('button', { name: 'Pause' }).click();
    await page.waitForSelector('[data-part="training"][data-phase="paused"]');
    await takePicture(training, 'playground-training');
    const rows = await trainingRows(page);
    for (const [name, values] of rows) {
      expect(values, name).toHaveLength(2);
      for (const value of values) expect(value, name).toMatch(/^−?\d/);
    }
    const [mgdaGray, mmparetoGray] = rows.get('Test accuracy, gray')!.map(parseFloat);
    expect(mmparetoGray! - mgdaGray!).toBeGreaterThan(8);
    expect(await training.locator('.standing').textContent()).toMatch(
      /Right on unseen digits by the gray head: MGDA \d+ % and MMPareto \d+ %/,
    );
    expect(await training.locator('canvas').count()).toBe(4);
    // The address has how far it went: whoever opens it sees the same.
    await page.waitForFunction(() => /trained=\d/.test(location.hash));
    const again = await open(new URL(page.url()).hash);
    await again.page.waitForSelector('[data-part="training"][data-phase="paused"]', {
      timeout: 200_000,
    });
    const same = await trainingRows(again.page);
    for (const [name, values] of rows)
      if (name !== 'Milliseconds a step') expect(same.get(name), name).toEqual(values);
    await training.getByRole('button', { name: 'Reset' }).click();
    expect(await training.getAttribute('data-phase')).toBe('idle');
    expect([...complaints, ...again.complaints]).toEqual([]);
    expect([...origins]).toEqual([new URL(server.address).origin]);
  });

  it('waits for Start where the reader wants no motion', async () => {
    const { page, complaints } = await open('#view=training&train=sum,pcgrad&seed=2', {
      reducedMotion: 'reduce',
    });
    const training = part(page, 'training');
    expect(await training.getAttribute('data-phase')).toBe('idle');
    await training.getByLabel('Network').selectOption('convolutional');
    await training.getByRole('button', { name: 'Start' }).click();
    await trained(page, 3);
    expect(await training.getByRole('status').textContent()).toBe(
      'Training on wasm, on one thread.',
    );
    expect(new URL(page.url()).hash).toBe(
      '#view=training&train=sum,pcgrad&network=convolutional&seed=2',
    );
    // Another choice is trained from the start.
    await training.getByLabel('Strategy').selectOption('upgrad');
    await trained(page, 1);
    expect(await training.locator('thead').textContent()).toContain('UPGrad');
    // Who looks at another view does not train.
    await page.getByRole('tab', { name: 'Paths' }).click();
    await page.waitForSelector('[data-part="training"][data-phase="paused"]', {
      state: 'attached',
      timeout: 100_000,
    });
    expect(complaints).toEqual([]);
  });
});

describe('the address', () => {
  const shown = (page: Page): Promise<string | null> =>
    page.locator('[role="tab"][aria-selected="true"]').textContent();
  const hash = (page: Page): string => new URL(page.url()).hash;

  it('goes back and forward through what was shown', async () => {
    const { page, complaints } = await open('#view=plane');
    await page.getByRole('button', { name: 'Agreement' }).click();
    await page.waitForFunction(() => location.hash.includes('g=2,0.5'));
    await part(page, 'plane').getByRole('checkbox', { name: 'UPGrad' }).check();
    await page.waitForFunction(() => location.hash.includes('upgrad'));
    await page.getByRole('tab', { name: 'Paths' }).click();
    await page.waitForFunction(() => location.hash.startsWith('#view=paths'));
    await page.goBack();
    await page.waitForFunction(() => location.hash.startsWith('#view=plane'));
    expect((await shown(page))!.trim()).toBe('Gradients in the plane');
    expect(await part(page, 'plane').getByRole('checkbox', { name: 'UPGrad' }).isChecked()).toBe(
      true,
    );
    await page.goBack();
    await page.waitForFunction(() => !location.hash.includes('upgrad'));
    expect(await part(page, 'plane').getByRole('checkbox', { name: 'UPGrad' }).isChecked()).toBe(
      false,
    );
    expect((await gradientsOf(page))[0]).toEqual([2, 0.5]);
    await page.goBack();
    await page.waitForFunction(() => !location.hash.includes('g='));
    expect((await gradientsOf(page))[0]).toEqual([0.8, 0.3]);
    await page.goForward();
    await page.waitForFunction(() => location.hash.includes('g=2,0.5'));
    expect((await gradientsOf(page))[0]).toEqual([2, 0.5]);
    expect(complaints).toEqual([]);
  });

  it('gives the same picture to whom it is sent', async () => {
    const { page } = await open('#view=paths');
    const paths = part(page, 'paths');
    await paths.getByLabel('Optimizer').selectOption('sgd');
    await paths.getByLabel('Steps at a time').selectOption('100');
    await paths.getByRole('checkbox', { name: 'UPGrad' }).check();
    await paths.getByRole('button', { name: 'No starting points' }).click();
    await paths.getByRole('button', { name: 'Add' }).click();
    await paths.getByRole('button', { name: 'Step', exact: true }).click();
    await page.waitForFunction(() => location.hash.includes('walked=100'));
    const trails = (of: Page): Promise<(string | null)[]> =>
      part(of, 'paths')
        .locator('.trail')
        .evaluateAll((lines) => lines.map((line) => line.getAttribute('points')));
    const again = await open(hash(page));
    await again.page.waitForFunction(() =>
      document.querySelector('[data-part="paths"] .count')!.textContent.includes('Step 100 of'),
    );
    expect(await trails(again.page)).toEqual(await trails(page));
    expect(await trails(page)).toHaveLength(5);
    expect(again.complaints).toEqual([]);
  });

  it.each(['#view=plane&g=1,2&show=sum', '#nonsense', '#view=paths&walked=many'])(
    'says in a sentence that %s is damaged, and shows the rest',
    async (damaged) => {
      const { page, complaints } = await open(damaged, { reducedMotion: 'reduce' });
      const alert = page.locator('.playground').getByRole('alert');
      expect(await alert.textContent()).toMatch(/^This address holds something.*usual view\.$/);
      await page.getByRole('tab', { name: 'Paths' }).click();
      await part(page, 'paths').getByRole('checkbox', { name: 'UPGrad' }).check();
      await page.waitForFunction(() => location.hash.includes('upgrad'));
      expect(await alert.count()).toBe(0);
      expect(complaints).toEqual([]);
    },
  );

  it('has a place for each view, as links of other pages name it', async () => {
    const { page } = await open('#paths');
    expect((await shown(page))!.trim()).toBe('Paths');
    await page.keyboard.press('Tab');
    await page.getByRole('tab', { name: 'Paths' }).focus();
    await page.keyboard.press('ArrowLeft');
    expect((await shown(page))!.trim()).toBe('Gradients in the plane');
  });
});

it('fits a telephone, in the dark, without motion', async () => {
  const { page, complaints } = await open('#view=paths', {
    viewport: { width: 400, height: 800 },
    colorScheme: 'dark',
    reducedMotion: 'reduce',
  });
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - window.innerWidth,
  );
  expect(overflow).toBeLessThanOrEqual(0);
  // One step at a time would take more than a minute: paths are walked in a few strides.
  const paths = part(page, 'paths');
  await paths.getByLabel('Steps at a time').selectOption('1');
  await paths.getByRole('button', { name: 'Play' }).click();
  const status = paths.getByRole('status').filter({ hasText: 'After 5000 steps' });
  await status.waitFor({ timeout: 60_000 });
  await takePicture(page, 'playground-narrow-dark');
  await takePicture(paths, 'playground-paths-narrow-dark');
  await page.getByRole('tab', { name: 'Gradients in the plane' }).click();
  await takePicture(page, 'playground-plane-narrow-dark');
  const ink = await head(page, 'B').evaluate(
    (element) => getComputedStyle(element.parentElement!).color,
  );
  expect(Number(/\d+/.exec(ink)![0])).toBeGreaterThan(150);
  expect(complaints).toEqual([]);
});
