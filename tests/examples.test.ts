import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { findClaims, whatIsWrong } from './example-claims.ts';

// Every ```ts block of a doc comment, a README or a guide is compiled against the real types and run, and so is every
// ```js block, as it stands; what its comments claim of what it prints is checked (example-claims.ts). Blocks for browsers
// are compiled here, and run by tests/browser/examples.test.ts.

const root = join(import.meta.dirname, '..');
const folder = join(import.meta.dirname, '.examples');

interface Example {
  readonly title: string;
  readonly file: string;
  readonly code: string;
  readonly browser: boolean;
}

/** A block that shows a change, by lines marked as on the site, is two examples: before and after. */
function versionsOf(code: string): { version: string; code: string }[] {
  const without = (mark: string): string =>
    code
      .split('\n')
      .filter((line) => !line.includes(`[!code ${mark}]`))
      .join('\n');
  if (!code.includes('[!code --]')) return [{ version: '', code }];
  return [
    { version: ' before', code: without('++') },
    { version: ' after', code: without('--') },
  ];
}

function filesBelow(directory: string, ending: string): string[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .map((file) => `${directory}/${file.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith(ending) && !/\/(node_modules|dist)\//.test(file));
}

function collect(): Example[] {
  const sources = [
    'README.md',
    'CONTRIBUTING.md',
    // The folders below hold copies and what is made of doc comments.
    ...readdirSync(join(root, 'docs'))
      .filter((file) => file.endsWith('.md'))
      .map((file) => `docs/${file}`),
    ...filesBelow('packages', '/README.md'),
    ...filesBelow('packages', '.ts').filter(
      (file) => file.includes('/src/') && !file.endsWith('.test.ts'),
    ),
  ];
  return sources.sort().flatMap((source) => {
    const text = readFileSync(join(root, source), 'utf8');
    // In a doc comment each line bears the comment's star.
    const plain = source.endsWith('.ts') ? text.replace(/^[ \t]*\* ?/gm, '') : text;
    return [...plain.matchAll(/^```(ts|js)( browser)?\n([\s\S]*?)^```/gm)].flatMap(
      ([, language, browser, block], index) =>
        versionsOf(block!).map(({ version, code }) => ({
          title: `${source} #${index + 1}${version}`,
          file: join(
            folder,
            `${source.replace(/[^a-z0-9]+/gi, '-')}-${index + 1}${version.replace(' ', '-')}.${language}`,
          ),
          code: `${code}\nexport {};\n`,
          browser: browser !== undefined,
        })),
    );
  });
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const examples = collect();
for (const { file, code } of examples) writeFileSync(file, code);
const running = join(folder, 'running');
mkdirSync(running);
const compiler = {
  extends: '../../tsconfig.tests.json',
  compilerOptions: { noUnusedLocals: false, types: ['node', 'vite/client'] },
  include: ['*.ts'],
};
writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(compiler));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('examples', () => {
  beforeEach(async () => {
    await tf.setBackend('cpu');
    tf.disposeVariables();
  });

  it('are found', () => {
    expect(examples.length).toBeGreaterThan(20);
  });

  it('compile', () => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const run = (): string =>
      execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8', cwd: root });
    let output = '';
    try {
      run();
    } catch (error) {
      output = (error as { stdout: string }).stdout;
    }
    expect(output).toBe('');
  }, 300_000);

  it.each(examples.filter(({ browser }) => !browser))('$title runs', async ({ file, code }) => {
    const { code: program, claims } = findClaims(code);
    const printed: unknown[][] = claims.map(() => []);
    vi.stubGlobal('claimed', (index: number, ...values: unknown[]) =>
      printed[index]!.push(...values),
    );
    const path = join(running, basename(file));
    writeFileSync(path, program);
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    try {
      await import(/* @vite-ignore */ `./${relative(import.meta.dirname, path)}`);
    } finally {
      log.mockRestore();
      vi.unstubAllGlobals();
    }
    expect(claims.flatMap((claim, index) => whatIsWrong(claim, printed[index]!) ?? [])).toEqual([]);
  });
});
