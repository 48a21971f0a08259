import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { renderReport } from '../../packages/cli/src/report/report-content.ts';
import { summarize } from '../../packages/cli/src/results/summary.ts';
import { recordedComparison } from '../../packages/cli/src/testing/recorded-comparison.ts';
import { startChromium } from './chromium.ts';
import { listenTo, takePicture } from './pages.ts';

// The report as a file that somebody opens, without any server.

let browser: Browser;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-report-'));
  browser = await startChromium();
  const { config, runs } = recordedComparison();
  const commands = { repeat: 'multigrad compare', redraw: 'multigrad report' };
  writeFileSync(
    join(folder, 'report.html'),
    await renderReport(summarize(config, runs), runs, commands),
  );
});

afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

async function open(): Promise<{ page: Page; complaints: readonly string[] }> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const { complaints } = listenTo(page);
  await page.goto(pathToFileURL(join(folder, 'report.html')).href);
  await page.waitForSelector('.scripted');
  return { page, complaints };
}

/** What a button of the accuracy's chart saves, pressed by keyboard. */
async function saved(page: Page, kind: 'svg' | 'png'): Promise<{ name: string; content: Buffer }> {
  const waiting = page.waitForEvent('download');
  await page.locator(`#accuracy [data-download=${kind}]`).focus();
  await page.keyboard.press('Enter');
  const download = await waiting;
  const path = join(folder, `saved.${kind}`);
  await download.saveAs(path);
  return { name: download.suggestedFilename(), content: readFileSync(path) };
}

it('saves a chart as SVG and as PNG', async () => {
  const { page, complaints } = await open();
  await page.emulateMedia({ colorScheme: 'dark' });
  const svg = await saved(page, 'svg');
  expect(svg.name).toBe('accuracy.svg');
  const text = svg.content.toString();
  // Three panels, a legend of five, titles for each mark; a whole file by itself.
  expect(text.split('<figure').length).toBe(1);
  expect(text).toContain('<title>Test accuracy over training</title>');
  expect(text).toContain('<title>MMPareto, epoch 2: test accuracy (%)');
  const picture = await browser.newPage();
  await picture.goto(pathToFileURL(join(folder, 'saved.svg')).href);
  expect(await picture.evaluate(() => document.querySelectorAll('svg svg').length)).toBe(3 + 5);
  const png = await saved(page, 'png');
  expect(png.name).toBe('accuracy.png');
  expect(png.content.subarray(1, 4).toString()).toBe('PNG');
  const width = Number(/width="([\d.]+)"/.exec(text)![1]);
  expect(Math.abs(png.content.readUInt32BE(16) - 3 * width)).toBeLessThanOrEqual(3);
  expect(complaints).toEqual([]);
});

it('says values where the pointer rests and where the keyboard goes', async () => {
  const { page } = await open();
  const panel = page.locator('#accuracy figure [role=img]').first();
  await panel.focus();
  await page.keyboard.press('Home');
  const tip = page.locator('.tip');
  // The page hears of a key some time after it was pressed.
  const said = expect.poll(async () => tip.textContent(), { timeout: 10_000 });
  await said.toMatch(/^multimodal loss alone, epoch 1: test accuracy \(%\) /);
  // A page that scrolls hides the value, and the next key goes on from there.
  await page.evaluate(() => window.scrollBy(0, 1));
  await expect.poll(async () => tip.isVisible()).toBe(false);
  await page.keyboard.press('ArrowRight');
  await said.toMatch(/^multimodal loss alone, epoch 2: /);
  await takePicture(page, 'report-value');
  await page.keyboard.press('Escape');
  await expect.poll(async () => tip.isVisible()).toBe(false);
  const mark = page.locator('#accuracy figure path[data-says^="MGDA, epoch 4"]').first();
  await mark.hover();
  await said.toMatch(/^MGDA, epoch 4: /);
  expect(await tip.isVisible()).toBe(true);
});
