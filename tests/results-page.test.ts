import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFiles } from '@multigrad/core/files';
import { describe, expect, it } from 'vitest';
import { studyState } from '../packages/cli/src/study/plan.ts';
import { fillPage, studyBlocks, studyPictures } from '../packages/cli/src/study/study-page.ts';
import { openStudy } from '../packages/cli/src/study/study.ts';

// The tables of docs/results.md and docs/balancing-results.md: the program makes them from records, and here scores, differences and
// ranks are computed again from the same files with nothing of the program.

const docs = join(import.meta.dirname, '../docs');
const pictures = join(docs, 'images/results');

interface Protocol {
  readonly seeds: number;
  readonly rates: readonly number[];
  readonly rows: Readonly<Record<string, { readonly title: string }>>;
  readonly settings: Readonly<
    Record<
      string,
      { readonly rows?: readonly string[]; readonly peer?: { readonly records: string } }
    >
  >;
}
interface Figures {
  readonly row: string;
  readonly lr: number;
  readonly seed: number;
  readonly status: string;
  readonly curves: Readonly<
    Record<'validation' | 'test', Record<string, Readonly<Record<string, readonly number[]>>>>
  >;
}

const studies = [
  { name: 'results', page: 'results.md' },
  { name: 'balancing', page: 'balancing-results.md' },
].map(({ name, page }) => ({
  name,
  page,
  text: readFileSync(join(docs, page), 'utf8'),
  protocol: JSON.parse(
    readFileSync(join(docs, `experiments/${name}-protocol.json`), 'utf8'),
  ) as Protocol,
}));

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
  return recordsIn(join('records', setting));
}

function recordsIn(name: string): Figures[] {
  const folder = join(docs, 'experiments', name);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.map((one) => JSON.parse(readFileSync(join(folder, one), 'utf8')) as Figures);
}

interface PageTable {
  readonly heading: readonly string[];
  /** Its rows by first cell. */
  readonly rows: ReadonlyMap<string, readonly string[]>;
  /** The same, where several may begin alike. */
  readonly lines: readonly (readonly string[])[];
}

/** The tables of a block. */
function tablesOf(page: string, setting: string): PageTable[] {
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
    return { heading: heading!, rows: new Map(rows.map((row) => [row[0]!, row])), lines: rows };
  });
}

/** A cell shows numbers with two digits. Half of the last digit may be rounded either way. */
function expectShown(cell: string, numbers: readonly number[]): void {
  const shown = cell.split(' ± ').map(Number);
  expect(shown).toHaveLength(numbers.length);
  shown.forEach((number, k) => expect(Math.abs(number - numbers[k]!)).toBeLessThan(0.005 + 1e-9));
}

/** The score that is shown of an objective: its accuracy, else the metric that is no loss. */
function last(
  { curves }: Figures,
  set: 'validation' | 'test',
  objectives: readonly string[],
): number {
  return mean(
    objectives.map((objective) => {
      const metrics = curves[set][objective]!;
      const name =
        'accuracy' in metrics ? 'accuracy' : Object.keys(metrics).find((one) => one !== 'loss')!;
      return metrics[name]!.at(-1)!;
    }),
  );
}

/** The records of a setting, and which of them a table speaks of. */
function reading(protocol: Protocol, setting: string) {
  const records = recordsOf(setting);
  const rows = protocol.settings[setting]!.rows ?? Object.keys(protocol.rows);
  const objectives = Object.keys(records[0]?.curves.test ?? {});
  const compared = objectives.includes('multimodal') ? ['multimodal'] : objectives;
  const percent = objectives.every((name) => 'accuracy' in records[0]!.curves.test[name]!);

  /** What rates are chosen by: the mean score, or that of the logarithms where tasks are measured in different units. */
  function validated(record: Figures): number {
    const shares = compared.map((one) => 'accuracy' in record.curves.validation[one]!);
    const alike = new Set(shares).size === 1;
    return mean(
      compared.map((one, k) => {
        const score = last(record, 'validation', [one]);
        return (shares[k] ? 1 : -1) * (alike ? score : Math.log(score));
      }),
    );
  }

  /** The finished runs of a row at the rate that validates best among those with the first seed; null while one is missing. */
  function chosen(row: string): Figures[] | null {
    const own = records.filter((record) => record.row === row && record.status === 'finished');
    const tried = records.filter((record) => record.row === row && record.seed === 0);
    if (tried.length < protocol.rates.length) return null;
    const candidates = own.filter(({ seed }) => seed === 0).sort((a, b) => a.lr - b.lr);
    if (candidates.length === 0) return null;
    const best = candidates.reduce((a, b) => (validated(b) > validated(a) ? b : a));
    return own.filter(({ lr }) => lr === best.lr).sort((a, b) => a.seed - b.seed);
  }
  return { rows, objectives, compared, percent, chosen };
}

describe.each(studies)('docs/$page', ({ name, page, text, protocol }) => {
  const title = (row: string): string => protocol.rows[row]!.title;

  it('holds what the program makes of the records, and its pictures: npm run docs:results', async () => {
    const request = { only: null, rows: null, paths: {}, backend: 'auto' };
    const file = join(docs, `experiments/${name}-protocol.json`);
    const study = await openStudy(file, request, docs);
    const state = await studyState(study, nodeFiles);
    const blocks = studyBlocks(study, state, 'images/results/');
    expect(fillPage(text, blocks, page)).toBe(text);
    for (const block of blocks.keys()) expect(text).toContain(`<!-- study ${block} -->`);
    const drawn = studyPictures(study, state);
    for (const [picture, svg] of drawn) {
      expect(readFileSync(join(pictures, picture), 'utf8'), picture).toBe(svg);
    }
    const shown = [...text.matchAll(/\]\(images\/results\/([^)]+)\)/g)].map(([, one]) => one!);
    expect(shown.sort()).toEqual([...drawn.keys()].sort());
    const kept = readdirSync(pictures).filter((one) =>
      [...Object.keys(protocol.settings), `${name}-overview`].some((setting) =>
        one.startsWith(setting),
      ),
    );
    expect(kept.sort()).toEqual([...drawn.keys()].sort());
  });

  describe.each(Object.keys(protocol.settings))('the tables of %s', (setting) => {
    const { rows, objectives, compared, percent, chosen } = reading(protocol, setting);
    const tables = tablesOf(text, setting);
    const scores = tables.find(({ heading }) => heading.includes('seeds'));
    const differences = tables.find(({ heading }) => heading.some((cell) => cell.includes(' − ')));
    const many = compared.length > 3;
    const columns = many && percent ? [objectives] : objectives.map((one) => [one]);

    it('have the scores, the rate and the seeds of every row', () => {
      const measured = rows.filter((row) => chosen(row) !== null);
      if (scores === undefined) {
        expect(measured).toEqual([]);
        return;
      }
      for (const row of measured) {
        const runs = chosen(row)!;
        const cells = scores.rows.get(title(row))!;
        if (percent) {
          columns.forEach((column, k) => {
            const values = runs.map((run) => 100 * last(run, 'test', column));
            expectShown(cells[1 + k]!, [
              mean(values),
              ...(values.length > 1 ? [deviation(values)] : []),
            ]);
          });
        }
        expect(Number.parseFloat(cells[1 + columns.length]!)).toBe(runs[0]!.lr);
        expect(cells.at(-1)).toBe(runs.map(({ seed }) => seed).join(', '));
      }
      for (const row of rows.filter((one) => !measured.includes(one))) {
        expect(scores.rows.get(title(row))!.at(-1)).toBe('–');
      }
    });

    it('have the differences to each reference, with intervals of Student’s t', () => {
      if (differences === undefined || !percent) return;
      differences.heading.forEach((heading, column) => {
        const [measure, reference] = heading.split(' − ');
        if (reference === undefined) return;
        const of = measure!.startsWith('mean of ') ? objectives : [measure!];
        const base = rows.find((row) => title(row) === reference)!;
        for (const [name, cells] of differences.rows) {
          const row = rows.find((one) => title(one) === name)!;
          const pairs = chosen(row)!.flatMap((run) => {
            const other = chosen(base)!.find(({ seed }) => seed === run.seed);
            if (other === undefined) return [];
            return [100 * (last(run, 'test', of) - last(other, 'test', of))];
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

  const withPeer = Object.entries(protocol.settings).flatMap(([setting, { peer }]) =>
    peer === undefined ? [] : [{ setting, records: peer.records }],
  );
  it.each(withPeer)('has the scores of the peer of $setting', ({ setting, records }) => {
    const { rows, objectives, chosen } = reading(protocol, setting);
    const table = tablesOf(text, setting).find(({ heading }) => heading.includes('here'));
    const peers = recordsIn(records);
    const expected = rows.flatMap((row) =>
      objectives.flatMap((one) => {
        const pairs = (chosen(row) ?? []).flatMap((run) => {
          const peer = peers.find(
            ({ row: name, lr, seed }) => name === row && lr === run.lr && seed === run.seed,
          );
          return peer === undefined ? [] : [[run, peer].map((of) => 100 * last(of, 'test', [one]))];
        });
        if (pairs.length === 0) return [];
        return [[0, 1].map((k) => mean(pairs.map((pair) => pair[k]!)))];
      }),
    );
    const shown = (table?.lines ?? []).map((cells) => cells.slice(2, 4));
    expect(shown).toHaveLength(expected.length);
    shown.forEach((cells, line) => {
      cells.forEach((cell, k) => expectShown(cell.split(' ± ')[0]!, [expected[line]![k]!]));
    });
  });

  it('has the ranks of rows in every setting with accuracies', () => {
    const ranks = tablesOf(text, 'overview').find(({ heading }) => heading.includes('mean rank'));
    if (ranks === undefined) return;
    ranks.heading.forEach((heading, column) => {
      const setting = /^(\S+) \(rank\)$/.exec(heading)?.[1];
      if (setting === undefined) return;
      const { rows, compared, percent, chosen } = reading(protocol, setting);
      if (!percent) return;
      const measured = rows.filter((row) => chosen(row) !== null);
      const scores = new Map(
        measured.map((row) => [
          row,
          compared.map((one) => mean(chosen(row)!.map((run) => last(run, 'test', [one])))),
        ]),
      );
      for (const row of measured) {
        const rank = mean(
          compared.map((_, k) => {
            const [above, level] = [1, 0].map(
              (sign) =>
                measured.filter((one) => {
                  const gap = scores.get(one)![k]! - scores.get(row)![k]!;
                  return sign === 1 ? gap > 1e-12 : Math.abs(gap) <= 1e-12;
                }).length,
            );
            return above! + (level! + 1) / 2;
          }),
        );
        expect(Number(ranks.rows.get(title(row))![column]), `${setting} ${row}`).toBeCloseTo(
          rank,
          0,
        );
      }
    });
  });
});
