import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { examples } from './examples.ts';
import { modules } from './modules.ts';
import { prepare } from './prepare.ts';

const folder = join(import.meta.dirname, 'examples');
afterEach(() => vi.restoreAllMocks());

it('offers every example that there is', () => {
  const files = readdirSync(folder).filter((file) => !file.endsWith('.d.ts'));
  expect(examples.map(({ id }) => `${id}.ts`).sort()).toEqual(files.sort());
});

it('imports only modules that the page has', () => {
  for (const { source } of examples)
    expect(() => prepare(source, [...modules.keys()])).not.toThrow();
});

it('has every strategy package among its modules', () => {
  const packages = readdirSync(join(import.meta.dirname, '../../../packages'));
  for (const name of packages.filter((one) => one.startsWith('strategy-')))
    expect([...modules.keys()]).toContain(`@multigrad/${name}`);
});

/** What the example prints and plots. */
async function play(id: string): Promise<{ said: string[]; plotted: Record<string, number>[] }> {
  const said: string[] = [];
  const plotted: Record<string, number>[] = [];
  vi.spyOn(console, 'log').mockImplementation(
    (...values: unknown[]) => void said.push(values.map(String).join(' ')),
  );
  Object.assign(globalThis, {
    plot: (values: Record<string, number>) => void plotted.push({ ...values }),
  });
  await import(join(folder, `${id}.ts`));
  return { said, plotted };
}

it('trains both tasks in the first one', async () => {
  const { plotted, said } = await play('trainer');
  expect(plotted).toHaveLength(30);
  // Both losses fall to less than a tenth.
  for (const name of ['log10 price', 'log10 size'])
    expect(plotted.at(-1)![name]!).toBeLessThan(plotted[0]![name]! - 1);
  expect(said).toHaveLength(3);
});

it('shows losses and a cosine in the loop', async () => {
  const { plotted } = await play('own-loop');
  expect(plotted).toHaveLength(60);
  const [first, last] = [plotted[0]!, plotted.at(-1)!];
  expect(last['near']! + last['far']!).toBeLessThan(first['near']! + first['far']!);
  for (const { cosine } of plotted) expect(Math.abs(cosine!)).toBeLessThanOrEqual(1 + 1e-6);
});

it('tells which strategies lower both losses', async () => {
  const { said } = await play('numbers');
  expect(said).toHaveLength(7);
  expect(said[0]).toMatch(/^sum .*raises one$/);
  for (const line of said.slice(1, 5)) expect(line).toMatch(/lowers both$/);
});

it('descends with a strategy of its own', async () => {
  const { plotted } = await play('own-strategy');
  const sum = (at: number): number => plotted.at(at)!['steep']! + plotted.at(at)!['flat']!;
  expect(sum(-1)).toBeLessThan(sum(0) / 2);
});
