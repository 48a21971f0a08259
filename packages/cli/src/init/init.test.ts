import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { nodeFiles } from '@multigrad/core/files';
import type { Experiment } from '@multigrad/experiment';
import { expectConstantMemory, startTestBackend, trainExperiment } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-wasm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine } from '../command-line.ts';
import type { Environment } from '../shared/environment.ts';

const root = join(import.meta.dirname, '../../../..');
// Below this package, so that what is written finds the packages that it imports.
const folder = mkdtempSync(join(import.meta.dirname, '.written-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function init(
  words: readonly string[],
  given: Partial<Environment> = {},
): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: string[][] = [[], []];
  const code = await runCommandLine(['init', ...words], {
    terminal: null,
    print: (line) => out!.push(line),
    complain: (line) => err!.push(line),
    folder,
    signal: new AbortController().signal,
    ...given,
  });
  return { code, out: out!.join('\n'), err: err!.join('\n') };
}

const read = (file: string): string => readFileSync(join(folder, file), 'utf8');

describe('multigrad init', () => {
  const written = [
    ['an-experiment', [], ['experiment.ts', 'houses.csv', 'package.json', 'tsconfig.json']],
    ['several-tasks', ['--multi-task', '--js'], ['experiment.js', 'houses.csv', 'package.json']],
    ['modalities', ['--multimodal'], ['experiment.ts', 'package.json', 'tsconfig.json']],
    ['in/a-folder/of-folders', ['--multimodal', '--js'], ['experiment.js', 'package.json']],
  ] as const;
  const outcomes = new Map<string, Awaited<ReturnType<typeof init>>>();
  beforeAll(async () => {
    for (const [name, options] of written) outcomes.set(name, await init([name, ...options]));
  });

  it.each(written)('writes %s with %j', (name, _options, files) => {
    const { code, out, err } = outcomes.get(name)!;
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(readdirSync(join(folder, name)).sort()).toEqual(files);
    const entry = `./${name}/${files[0]}`;
    expect(out).toContain(`\n  npx multigrad compare ${entry}\n`);
    expect(out).not.toContain('npm install');
    const text = read(`${name}/${files[0]}`);
    expect(text).toContain(`npx multigrad compare ${entry} `);
    expect(text).toContain(`name: '${name.split('/').at(-1)!}'`);
    expect(text).not.toContain('{{');
    expect(JSON.parse(read(`${name}/package.json`))).toMatchObject({ type: 'module' });
  });

  it('writes the same data every time, with empty cells', () => {
    const csv = read('an-experiment/houses.csv');
    expect(read('several-tasks/houses.csv')).toBe(csv);
    const [header, ...rows] = csv.trimEnd().split('\n');
    expect(header).toBe('area,rooms,year,distance,price,kind,sold');
    expect(rows).toHaveLength(1200);
    const empty = [0, 1, 2, 3, 4, 5, 6].map(
      (column) => rows.filter((row) => row.split(',')[column] === '').length,
    );
    expect(empty.map((count) => count > 0)).toEqual([false, false, true, false, true, true, true]);
  });

  it('says what to install where the packages are not found', async () => {
    const elsewhere = mkdtempSync(join(root, '..', '.init-elsewhere-'));
    try {
      const { out } = await init(['mine'], { folder: elsewhere });
      expect(out).toContain('\n  npm install -D @multigrad/cli\n');
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('writes TypeScript that is right, and JavaScript that is the same', () => {
    expect(read('several-tasks/experiment.js')).toBe(
      read('an-experiment/experiment.ts')
        .replaceAll('an-experiment', 'several-tasks')
        .replaceAll('experiment.ts', 'experiment.js'),
    );
    // The sources of the packages are checked along here, which need Node's types. `npm run rehearse` checks what is
    // written as it is.
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: './an-experiment/tsconfig.json',
        compilerOptions: {
          allowImportingTsExtensions: true,
          customConditions: ['@multigrad/source'],
          types: ['node'],
        },
        include: ['an-experiment/*.ts', 'modalities/*.ts'],
      }),
    );
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    let output = '';
    try {
      execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8', cwd: root });
    } catch (error) {
      output = (error as { stdout: string }).stdout;
    }
    expect(output).toBe('');
  }, 120_000);

  it.each([
    [
      'an-experiment/experiment.ts',
      { kind_accuracy: 0.8, sold_accuracy: 0.9 },
      { price_error: 0.3 },
    ],
    ['modalities/experiment.ts', { multimodal_accuracy: 0.9, sound_accuracy: 0.5 }, {}],
  ])(
    'writes %s, which learns',
    async (file, atLeast, atMost) => {
      await startTestBackend('wasm');
      await expectConstantMemory(async () => {
        const { experiment } = (await import(join(folder, file))) as { experiment: Experiment };
        const metrics = await trainExperiment(experiment);
        for (const [name, bound] of Object.entries(atLeast))
          expect(metrics[name], name).toBeGreaterThan(bound);
        for (const [name, bound] of Object.entries(atMost))
          expect(metrics[name], name).toBeLessThan(bound);
      });
    },
    120_000,
  );

  it('overwrites nothing', async () => {
    const before = read('an-experiment/experiment.ts');
    const again = await init(['an-experiment', '--multimodal']);
    expect(again.code).toBe(1);
    expect(again.err).toContain('overwrites nothing. Found a folder with files at ');
    expect(read('an-experiment/experiment.ts')).toBe(before);
    writeFileSync(join(folder, 'file'), '');
    expect((await init(['file'])).err).toContain('Found a file at ');
    mkdirSync(join(folder, 'empty'));
    expect((await init(['empty'])).code).toBe(0);
  });

  it.each([
    [['My_Experiment'], 'in kebab case, as in `my-experiment`. Found `My_Experiment`'],
    [['x', '--multimodal', '--multi-task'], 'Found both.'],
    [[], "missing required argument 'folder'"],
    [['x', '--ts'], "unknown option '--ts'"],
  ])('refuses %j', async (words, message) => {
    const { code, err } = await init(words);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });

  it('leaves nothing behind where the disk is full', async () => {
    for (let most = 0; most < 3; most++) {
      let opened = 0;
      const files = {
        ...nodeFiles,
        open: async (...words: Parameters<typeof nodeFiles.open>) => {
          if (words[1] === 'create' && opened++ === most)
            throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
          return nodeFiles.open(...words);
        },
      };
      const { code, err } = await init(['full'], { files });
      expect(code).toBe(1);
      expect(err).toContain('ENOSPC');
      expect(readdirSync(folder).filter((name) => name.includes('full'))).toEqual([]);
    }
  });
});
