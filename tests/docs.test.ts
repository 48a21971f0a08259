import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

// What the pages of docs/ promise about themselves; tests/examples.test.ts runs their code, `npm run docs` follows links.

const docs = join(import.meta.dirname, '../docs');
const read = (file: string): string => readFileSync(join(docs, file), 'utf8');
/** What stands after the fence of a block that lists a file. */
const listing = /^(ts|js|json|html) examples\/\S+$/;
const pages = readdirSync(docs).filter((file) => file.endsWith('.md'));

describe('figures', () => {
  it('are what their scripts draw from what the packages compute', async () => {
    const { drawAll } = (await import(join(docs, 'figures/all.mjs'))) as {
      drawAll: () => Promise<Map<string, string>>;
    };
    const drawn = await drawAll();
    const kept = readdirSync(join(docs, 'images/figures')).sort();
    expect(kept).toEqual([...drawn.keys()].map((name) => `${name}.svg`).sort());
    for (const [name, text] of drawn)
      expect(read(`images/figures/${name}.svg`), `${name}: npm run docs:figures`).toBe(text);
  });
});

describe.each(pages)('docs/%s', (page) => {
  const text = read(page);
  const blocks = [...text.matchAll(/^ *```(.*)\n/gm)].map(([, info]) => info!).filter(Boolean);

  it('has code blocks of kinds that are run, or that are not code of ours', () => {
    const run = ['ts', 'js', 'ts browser', 'html browser'];
    // JSON is a protocol, which a test of `multigrad study` reads.
    const theirs = ['py', 'python', 'sh', 'txt', 'json'];
    for (const block of blocks.filter((info) => !listing.test(info)))
      expect([...run, ...theirs]).toContain(block);
    // A block that is indented would escape the tests.
    expect(text).not.toMatch(/^ +```(ts|js)/m);
  });

  it('lists files of examples/ as they are, which other tests run', () => {
    for (const [, file, code] of text.matchAll(/^```\w+ (examples\/\S+)\n([\s\S]*?)^```/gm))
      expect(code, file).toBe(readFileSync(join(docs, '..', file!), 'utf8'));
  });

  it('says what each picture shows', () => {
    for (const [, alt] of text.matchAll(/!\[([^\]]*)\]/g)) expect(alt!.length).toBeGreaterThan(20);
  });

  it('calls commands that there are', () => {
    const shell = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, code]) => code!).join('');
    const { scripts } = JSON.parse(readFileSync(join(docs, '../package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const [, script] of shell.matchAll(/npm run ([\w:]+)(?! -w)/g))
      expect(Object.keys(scripts)).toContain(script);
  });
});

it('lists measured numbers as they were measured', () => {
  const { lengths, runs } = JSON.parse(read('experiments/update-sizes.json')) as {
    lengths: { strategy: string; median: number; low: number; high: number }[];
    runs: { optimizer: string; gamma: number; firstStep: number }[];
  };
  const rows = read('adam.md')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  for (const { strategy, median, low, high } of lengths)
    expect(rows).toContainEqual(['', `\`${strategy}\``, ...[median, low, high].map(String), '']);
  for (const { optimizer, gamma, firstStep } of runs) {
    const one = runs.find((run) => run.optimizer === optimizer && run.gamma === 1)!;
    const row = rows.find((cells) => cells[1] === optimizer && cells[2] === String(gamma));
    expect(row?.[3]).toBe((firstStep / one.firstStep).toFixed(2));
  }
});

it.each([
  'README.md',
  ...pages.map((page) => `docs/${page}`),
  ...readdirSync(join(docs, '../packages')).map((name) => `packages/${name}/README.md`),
])(
  '%s says what to install before it calls the command; the package without our scope is another',
  (file) => {
    const text = readFileSync(join(docs, '..', file), 'utf8');
    const first = text.indexOf('npx multigrad');
    if (first !== -1) expect(text.slice(0, first)).toContain('npm install -D @multigrad/cli');
  },
);

it('has every page in the list that the site makes its menu of', () => {
  const menu = read('README.md');
  for (const page of pages.filter((file) => !['README.md', 'index.md'].includes(file)))
    expect(menu, page).toContain(`](${page})`);
});

it('docs/your-tf-model.md changes at most five lines of a program for LayersModel.fit', () => {
  const [, change] = /^## The change$([\s\S]*?)^## /m.exec(read('your-tf-model.md'))!;
  const marked = (mark: string): number => change!.split(`// [!code ${mark}]`).length - 1;
  expect(marked('++')).toBeGreaterThan(0);
  expect(marked('++')).toBeLessThanOrEqual(5);
  expect(marked('--')).toBeLessThanOrEqual(5);
});
