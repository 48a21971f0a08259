import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';

// Every ```ts block of a doc comment or a README is compiled against the real types and run.

const root = join(import.meta.dirname, '..');
const folder = join(import.meta.dirname, '.examples');

interface Example {
  readonly title: string;
  readonly file: string;
  readonly code: string;
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
    return [...plain.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code], index) => ({
      title: `${source} #${index + 1}`,
      file: join(folder, `${source.replace(/[^a-z0-9]+/gi, '-')}-${index + 1}.ts`),
      code: `${code!}\nexport {};\n`,
    }));
  });
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const examples = collect();
for (const { file, code } of examples) writeFileSync(file, code);
const compiler = {
  extends: '../../tsconfig.tests.json',
  compilerOptions: { noUnusedLocals: false, types: ['node'] },
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
  });

  it.each(examples)('$title runs', async ({ file }) => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    try {
      await import(/* @vite-ignore */ `./${relative(import.meta.dirname, file)}`);
    } finally {
      log.mockRestore();
    }
  });
});
