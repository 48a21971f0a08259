import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { delimiter, extname, join } from 'node:path';
import { chromium } from 'playwright-core';

const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

function findChromium() {
  const names = [process.env.CHROMIUM ?? 'chromium', 'chromium-browser', 'google-chrome'];
  const found = [
    names[0],
    ...process.env.PATH.split(delimiter).flatMap((folder) =>
      names.map((name) => join(folder, name)),
    ),
  ].find((path) => path.includes('/') && existsSync(path));
  if (found === undefined)
    throw new Error('Chromium is missing: install it, or name it in the variable CHROMIUM.');
  return found;
}

/**
 * Opens a built site in Chromium and waits for what its page promises as `globalThis.outcome`.
 *
 * @throws Error with everything that the page complained of
 */
export async function openSite(folder) {
  const server = createServer((request, response) => {
    const path = join(
      folder,
      new URL(request.url, 'http://localhost').pathname.replace(/\/$/, '/index.html'),
    );
    readFile(path).then(
      (body) => response.setHeader('content-type', types[extname(path)] ?? 'text/plain').end(body),
      () => {
        response.statusCode = 404;
        response.end();
      },
    );
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({
    executablePath: findChromium(),
    args: ['--headless', '--no-sandbox', '--disable-gpu'],
  });
  try {
    const page = await browser.newPage();
    const complaints = [];
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    try {
      await page.waitForFunction(() => globalThis.outcome !== undefined);
      return { outcome: await page.evaluate(() => globalThis.outcome), complaints };
    } catch (cause) {
      throw new Error(`The page failed: ${complaints.join('\n')}`, { cause });
    }
  } finally {
    await browser.close();
    server.close();
  }
}
