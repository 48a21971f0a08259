import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { type Browser, chromium } from 'playwright-core';

/** The Chromium of this machine: the one that CHROMIUM names, or the first on the path. */
function findChromium(): string {
  const named = process.env['CHROMIUM'];
  const names = named === undefined ? ['chromium', 'chromium-browser', 'google-chrome'] : [named];
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = names
    .flatMap((name) => [name, ...folders.map((folder) => join(folder, name))])
    .find((path) => path.includes('/') && existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    'The browser tests need Chromium: install it, or name it in the variable CHROMIUM.',
  );
}

/** Starts a browser that talks to nobody but the pages it is sent to. */
export async function startChromium(flags: readonly string[] = []): Promise<Browser> {
  const executablePath = findChromium();
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...flags,
    ],
  });
}
