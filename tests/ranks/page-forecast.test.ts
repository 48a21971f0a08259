import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './launched.ts';

// The tables of docs/distributed.md that `npm run bench -- ranks` makes of what it measured.

const { tablesOf } = (await import(join(root, 'bench/src/ranks/tables.mjs'))) as {
  tablesOf: (record: unknown) => string[];
};

/** The cells of each row, however wide they are written. */
const rows = (table: string): string[] =>
  table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim().replace(/^-+:$/, '-:'))
        .join('|'),
    );

it('the page has the tables of the record', () => {
  const record: unknown = JSON.parse(readFileSync(join(root, 'bench/results/ranks.json'), 'utf8'));
  const page = rows(readFileSync(join(root, 'docs/distributed.md'), 'utf8')).join('\n');
  const tables = tablesOf(record);
  expect(tables).toHaveLength(3);
  for (const table of tables) expect(page).toContain(rows(table).join('\n'));
});
