import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFiles } from '@multigrad/core/files';
import { describe, expect, it } from 'vitest';
import { studyState } from '../packages/cli/src/study/plan.ts';
import { fillPage, studyBlocks } from '../packages/cli/src/study/study-page.ts';
import { openStudy } from '../packages/cli/src/study/study.ts';

// The tables of docs/results.md that stand between comments: the program makes them from records, and here they are computed
// again from the same files with nothing of the program.

const docs = join(import.meta.dirname, '../docs');
const page = readFileSync(join(docs, 'results.md'), 'utf8');

interface Protocol {
  readonly seeds: number;
  readonly rates: readonly number[];
  readonly rows: Readonly<Record<string, { readonly title: string }>>;
  readonly settings: Readonly<Record<string, { readonly rows?: readonly string[] }>>;
}
interface Figures {
  readonly row: string;
  readonly lr: number;
  readonly seed: number;
  readonly status: string;
  readonly curves: Readonly<
    Record<'validation' | 'test', Record<string, { readonly accuracy: readonly number[] }>>
  >;
}

const protocol = JSON.parse(
  readFileSync(join(docs, 'experiments/results-protocol.json'), 'utf8'),
) as Protocol;

/** Student's t for an interval of 95 %, by number of seeds, from a printed table. */
const quantiles = new Map([
  [2, 12.7062],
  [3, 4.30265],
  [4, 3.18245],
  [5, 2.77645],
]);

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
const deviation = (values: readonly number[]): number =>
  Math.sqrt(
    values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1),
  );

function recordsOf(setting: string): Figures[] {
  const folder = join(docs, 'experiments/records', setting);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Figures);
}

/** The tables of a block: each with its heading and its rows by first cell. */
function tablesOf(setting: string): { heading: string[]; rows: Map<string, string[]> }[] {
  const [, block] = new RegExp(`<!-- study ${setting} -->\n([\\s\\S]*?)<!-- /study -->`).exec(
    page,
  )!;
  const cells = (line: string): string[] =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  return (block!.match(/(?:^\|.*\n)+/gm) ?? []).map((table) => {
    const [heading, , ...rows] = table.trim().split('\n').map(cells);
    return { heading: heading!, rows: new Map(rows.map((row) => [row[0]!, row])) };
  });
}

const settings = Object.keys(protocol.settings);

it('holds what the program makes of the records: npm run docs:results', async () => {
  const request = { only: null, rows: null, paths: {}, backend: 'auto' };
  const study = await openStudy(join(docs, 'experiments/results-protocol.json'), request, docs);
  const blocks = studyBlocks(study, await studyState(study, nodeFiles));
  expect(fillPage(page, blocks, 'docs/results.md')).toBe(page);
  expect([...blocks.keys()].filter((name) => !page.includes(`<!-- study ${name} -->`))).toEqual([]);
});

describe.each(settings)('the tables of %s', (setting) => {
  const records = recordsOf(setting);
  const [scores, differences] = tablesOf(setting);
  const rows = protocol.settings[setting]!.rows ?? Object.keys(protocol.rows);
  const title = (row: string): string => protocol.rows[row]!.title;

  /** The mean of the compared heads after the last epoch. */
  const last = (
    { curves }: Figures,
    set: 'validation' | 'test',
    objectives: readonly string[],
  ): number => mean(objectives.map((objective) => curves[set][objective]!.accuracy.at(-1)!));
  const objectives = Object.keys(records[0]?.curves.test ?? {});
  const compared = objectives.includes('multimodal') ? ['multimodal'] : objectives;

  /** The finished runs of a row at the rate that validates best among those with the first seed; null while one is missing. */
  function chosen(row: string): Figures[] | null {
    const own = records.filter((record) => record.row === row && record.status === 'finished');
    const tried = records.filter((record) => record.row === row && record.seed === 0);
    if (tried.length < protocol.rates.length) return null;
    const candidates = own.filter(({ seed }) => seed === 0).sort((a, b) => a.lr - b.lr);
    const best = candidates.reduce((a, b) =>
      last(b, 'validation', compared) > last(a, 'validation', compared) ? b : a,
    );
    return own.filter(({ lr }) => lr === best.lr).sort((a, b) => a.seed - b.seed);
  }

  it('have the scores, the rate and the seeds of every row', () => {
    const measured = rows.filter((row) => chosen(row) !== null);
    if (scores === undefined) {
      expect(measured).toEqual([]);
      return;
    }
    for (const row of measured) {
      const runs = chosen(row)!;
      const cells = scores.rows.get(title(row))!;
      objectives.forEach((objective, k) => {
        const values = runs.map((run) => 100 * last(run, 'test', [objective]));
        const text = mean(values).toFixed(2);
        expect(cells[1 + k]).toBe(
          values.length > 1 ? `${text} ± ${deviation(values).toFixed(2)}` : text,
        );
      });
      expect(Number.parseFloat(cells[1 + objectives.length]!)).toBe(runs[0]!.lr);
      expect(cells.at(-1)).toBe(runs.map(({ seed }) => seed).join(', '));
    }
    for (const row of rows.filter((one) => !measured.includes(one))) {
      expect(scores.rows.get(title(row))!.at(-1)).toBe('–');
    }
  });

  it('have the differences to each reference, with intervals of Student’s t', () => {
    if (differences === undefined) return;
    differences.heading.forEach((heading, column) => {
      const [objective, reference] = heading.split(' − ');
      if (reference === undefined) return;
      const base = rows.find((row) => title(row) === reference)!;
      for (const [name, cells] of differences.rows) {
        const row = rows.find((one) => title(one) === name)!;
        const pairs = chosen(row)!.flatMap((run) => {
          const other = chosen(base)!.find(({ seed }) => seed === run.seed);
          if (other === undefined) return [];
          return [100 * (last(run, 'test', [objective!]) - last(other, 'test', [objective!]))];
        });
        if (row === base) {
          expect(cells[column]).toBe('–');
          continue;
        }
        const numbers = cells[column]!.replaceAll('−', '-')
          .match(/-?[\d.]+/g)!
          .map(Number);
        expect(numbers[0]).toBeCloseTo(mean(pairs), 1);
        const reach =
          (quantiles.get(pairs.length) ?? 0) * (deviation(pairs) / Math.sqrt(pairs.length));
        if (numbers.length === 1) continue;
        expect(numbers[1]).toBeCloseTo(mean(pairs) - reach, 1);
        expect(numbers[2]).toBeCloseTo(mean(pairs) + reach, 1);
      }
    });
  });
});
