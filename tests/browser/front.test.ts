import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderReport } from '../../packages/cli/src/report/report-content.ts';
import { summarize } from '../../packages/cli/src/results/summary.ts';
import { recordedFront } from '../../packages/cli/src/testing/recorded-front.ts';
import { startChromium } from './chromium.ts';
import { listenTo, takePicture } from './pages.ts';

// The report of a front, as people see it: on a telephone and on a wide window, on paper white and in the dark.

let browser: Browser;
let folder: string;

const fronts = {
  two: { objectives: ['gray', 'color'], rays: 8, panels: 1 },
  three: { objectives: ['multimodal', 'gray', 'color'], rays: 10, panels: 3 },
} as const;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-front-'));
  browser = await startChromium();
  for (const [name, { objectives, rays }] of Object.entries(fronts)) {
    const { config, runs } = recordedFront(objectives, rays);
    const commands = { repeat: 'multigrad front', redraw: 'multigrad report' };
    const page = await renderReport(summarize(config, runs), runs, commands);
    writeFileSync(join(folder, `${name}.html`), page);
  }
});

afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

/** Brightness of a colour as CSS has it, 0 to 1. */
function brightness(colour: string): number {
  const [red, green, blue] = colour.match(/[\d.]+/g)!.map(Number);
  return (0.299 * red! + 0.587 * green! + 0.114 * blue!) / 255;
}

/** The boxes of some elements on the page. */
async function boxesOf(
  elements: Locator,
): Promise<{ left: number; right: number; top: number; bottom: number; width: number }[]> {
  return elements.evaluateAll((all) =>
    all.map((one) => {
      const { left, right, top, bottom, width } = one.getBoundingClientRect();
      return { left, right, top, bottom, width };
    }),
  );
}

async function open(
  name: string,
  width: number,
  colorScheme: 'light' | 'dark',
): Promise<{ page: Page; complaints: readonly string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
  const { complaints } = listenTo(page);
  await page.goto(pathToFileURL(join(folder, `${name}.html`)).href);
  await page.waitForSelector('.scripted');
  return { page, complaints };
}

const windows = [400, 1280].flatMap((width) =>
  (['light', 'dark'] as const).map((scheme) => ({ width, scheme })),
);

describe.each(Object.entries(fronts))('the front of %s objectives', (name, { panels, rays }) => {
  it.each(windows)('fits $width pixels, $scheme', async ({ width, scheme }) => {
    const { page, complaints } = await open(name, width, scheme);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBe(width);
    const figures = page.locator('#front-losses figure svg');
    expect(await figures.count()).toBe(panels);
    for (const box of await boxesOf(figures)) {
      expect(box.left).toBeGreaterThanOrEqual(0);
      expect(box.right).toBeLessThanOrEqual(width);
      // Readable: not shrunk to a stamp.
      expect(box.width).toBeGreaterThan(250);
    }
    await takePicture(page, `front-${name}-${width}-${scheme}`);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it.each(['light', 'dark'] as const)('has each ray, seen on a %s page', async (scheme) => {
    const { page } = await open(name, 400, scheme);
    const ground = brightness(
      await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
    );
    expect(ground < 0.5).toBe(scheme === 'dark');
    const panel = page.locator('#front-losses figure').first();
    const marks = panel.locator('path:has(title)');
    expect(await marks.count()).toBe(rays);
    const fills = await marks.evaluateAll((all) => all.map((one) => getComputedStyle(one).fill));
    for (const fill of fills) expect(Math.abs(brightness(fill) - ground)).toBeGreaterThan(0.1);
    const words = panel.locator('svg text');
    const inks = await words.evaluateAll((all) => all.map((one) => getComputedStyle(one).fill));
    for (const ink of inks) expect(Math.abs(brightness(ink) - ground)).toBeGreaterThan(0.4);
    const texts = await words.allTextContents();
    for (let ray = 1; ray <= rays; ray += 1) expect(texts).toContain(String(ray));
    // Marks lie within their picture, each at a place of its own.
    const [picture] = await boxesOf(panel.locator('svg'));
    const places = (await boxesOf(marks)).map(({ left, top }) => `${left},${top}`);
    expect(new Set(places).size).toBe(rays);
    for (const { left, right, top, bottom } of await boxesOf(marks)) {
      expect(left).toBeGreaterThan(picture!.left);
      expect(right).toBeLessThan(picture!.right);
      expect(top).toBeGreaterThan(picture!.top);
      expect(bottom).toBeLessThan(picture!.bottom);
    }
    await page.close();
  });

  it('says the losses of a ray to the keyboard', async () => {
    const { page } = await open(name, 400, 'light');
    await page.locator('#front-losses figure [role=img]').first().focus();
    await page.keyboard.press('Home');
    const tip = page.locator('.tip');
    await expect
      .poll(async () => tip.textContent(), { timeout: 10_000 })
      .toMatch(/^EPO, ray 1: (multimodal|gray) [\d.]+, (gray|color) [\d.]+$/);
    await page.close();
  });
});
