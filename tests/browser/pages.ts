import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { Locator, Page } from 'playwright-core';

/** Where pictures of pages go, for people to look at. */
const pictures = process.env['PICTURES'];

/** What a page says and asks for. */
export interface Heard {
  readonly page: Page;
  /** What the browser complained about: errors, warnings, violations of the page's policy. */
  readonly complaints: string[];
  /** Where it asked for anything. */
  readonly origins: Set<string>;
}

/** Listens to a new page, before it goes anywhere. */
export function listenTo(page: Page): Heard {
  const complaints: string[] = [];
  const origins = new Set<string>();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (asked) => origins.add(new URL(asked.url()).origin));
  return { page, complaints, origins };
}

/** Keeps a picture, of all of a page or of a part, where the variable PICTURES names a folder. */
export async function takePicture(of: Page | Locator, name: string): Promise<void> {
  if (pictures === undefined) return;
  mkdirSync(pictures, { recursive: true });
  const path = join(pictures, `${name}.png`);
  await ('goto' in of ? of.screenshot({ path, fullPage: true }) : of.screenshot({ path }));
}
