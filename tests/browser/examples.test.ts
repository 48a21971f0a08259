import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startChromium } from './chromium.ts';
import { serveFolder } from './serve-folder.ts';

// The examples of the guides that are for browsers, bundled as a reader would bundle them, each run in a page of its own.

const root = join(import.meta.dirname, '../..');
const examples = readdirSync(join(root, 'docs'))
  .filter((file) => file.endsWith('.md'))
  .flatMap((file) =>
    [
      ...readFileSync(join(root, 'docs', file), 'utf8').matchAll(
        /^```(ts|html) browser\n([\s\S]*?)^```/gm,
      ),
    ].map(([, language, code], index) => ({
      title: `${file} #${index + 1}`,
      language,
      code: code!,
    })),
  );

let browser: Browser;
let folder: string;

beforeAll(async () => {
  browser = await startChromium();
  // Within the repository, so that imports find its packages.
  mkdirSync(join(root, 'tests/.examples'), { recursive: true });
  folder = mkdtempSync(join(root, 'tests/.examples/browser-'));
});

afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

it('are found', () => expect(examples.length).toBeGreaterThan(1));

it.each(examples)('$title runs', async ({ title, language, code }) => {
  const source = join(folder, title.replaceAll(/\W+/g, '-'));
  mkdirSync(source);
  const script = '<script type="module" src="./main.ts"></script>';
  writeFileSync(join(source, 'main.ts'), `${code}\ndocument.title = 'done';\n`);
  const page =
    language === 'html' ? code.replace('</script>', "document.title = 'done';</script>") : script;
  writeFileSync(join(source, 'index.html'), `<!doctype html><body>${page}</body>`);
  await build({ root: source, logLevel: 'error', build: { target: 'es2022', minify: false } });
  const server = await serveFolder(join(source, 'dist'));
  const opened = await browser.newPage();
  const complaints: string[] = [];
  const failed = new Promise<never>((_, reject) => opened.on('pageerror', reject));
  opened.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  opened.on('requestfailed', (request) => complaints.push(request.url()));
  try {
    const done = opened.goto(server.address).then(async () => {
      await opened.waitForFunction(() => document.title === 'done');
    });
    await Promise.race([done, failed]);
    // A browser asks for an icon by itself.
    expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
    if (language === 'html') expect(await opened.textContent('body')).toContain('0.00, 1.00, 1.00');
  } finally {
    await opened.close();
    await server.close();
  }
});
