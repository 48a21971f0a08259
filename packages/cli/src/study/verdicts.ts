import { own } from '@multigrad/core/strategy';
import { type PairedTest, significance } from '../results/paired-test.ts';
import { withFineShares } from '../results/shown-metric.ts';
import { signed } from '../results/table.ts';
import { formatCount } from '../shared/wording.ts';
import type { Measure, RowResults, SettingResults } from './setting-results.ts';
import type { StudyRow } from './study.ts';

interface Compared {
  readonly row: RowResults;
  readonly test: PairedTest;
  /** The difference with the sign that makes larger better. */
  readonly gain: number;
}

/** What the seeds say of all rows beside each reference, a sentence or more for each measure. */
export function verdicts({ setting, measures, references, rows }: SettingResults): string[] {
  return references.flatMap((reference) =>
    measures.map((measure) =>
      verdict(reference, measure, rows, {
        named: measures.length > 1,
        wanted: setting.seeds.length,
      }),
    ),
  );
}

/** One line for a setting: which rows are proven better or worse than the last reference. */
export function digest(results: SettingResults): string {
  const { setting, measures, references, rows } = results;
  const reference = references.at(-1);
  const lines = measures.map((measure) => {
    const tested = reference === undefined ? [] : testedBeside(reference, measure, rows);
    if (reference === undefined || tested.length === 0) return 'nothing can be compared yet.';
    const proven = tested.filter(({ test }) => test.corrected! < significance);
    return (
      `${measures.length > 1 ? `\`${measure.title}\`, ` : ''}beside ${reference.title} better ` +
      `${titles(
        proven.filter(({ gain }) => gain > 0),
        measure,
      )}, worse ` +
      `${titles(
        proven.filter(({ gain }) => gain < 0),
        measure,
      )}, not told apart ${tested.length - proven.length}.`
    );
  });
  const missing = rows.some(
    ({ seeds, failed, hopeless }) =>
      !hopeless && seeds.length + failed.length < setting.seeds.length,
  );
  return `${setting.name}${missing ? ' (not all seeds yet)' : ''}: ${[...new Set(lines)].join(' ')}`;
}

/** The rows that have two seeds or more in common with a reference. */
function testedBeside(
  reference: StudyRow,
  { title, metric }: Measure,
  rows: readonly RowResults[],
): Compared[] {
  return rows.flatMap((row): Compared[] => {
    const test = own(own(row.differences, reference.name) ?? {}, title) ?? null;
    if (row.row === reference || test?.corrected == null) return [];
    return [{ row, test, gain: test.mean * metric.sign }];
  });
}

function verdict(
  reference: StudyRow,
  measure: Measure,
  rows: readonly RowResults[],
  { named, wanted }: { readonly named: boolean; readonly wanted: number },
): string {
  const others = rows.filter(({ row }) => row !== reference);
  const tested = testedBeside(reference, measure, rows);
  const start = `Beside ${reference.title}${named ? ` in \`${measure.title}\`` : ''}`;
  if (tested.length === 0) return `${start} no row has two seeds in common with it yet.`;
  const proven = tested.filter(({ test }) => test.corrected! < significance);
  const parts = [
    `better: ${titles(
      proven.filter(({ gain }) => gain > 0),
      measure,
    )}`,
    `worse: ${titles(
      proven.filter(({ gain }) => gain < 0),
      measure,
    )}`,
  ];
  const open = tested.filter((one) => !proven.includes(one));
  const ahead = open.filter(({ gain }) => gain > 0);
  const seeds = [...new Set(tested.map(({ test }) => test.n))].sort((a, b) => a - b);
  const missing = others.length - tested.length;
  return [
    `${start}, at p < .05 after correction for ${formatCount(tested.length, 'comparison')}: ${parts.join('; ')}.`,
    ...(open.length === 0
      ? []
      : [
          `The other ${open.length} cannot be told from it by these seeds; on average ${ahead.length} of them ${ahead.length === 1 ? 'is' : 'are'} better` +
            `${ahead.length === 0 ? '' : ` (${titles(ahead, measure)})`}.`,
        ]),
    ...(missing === 0 ? [] : [`${formatCount(missing, 'row')} cannot be compared with it yet.`]),
    ...(seeds[0]! < wanted
      ? [`Some of these comparisons have ${seeds[0]!} of ${wanted} seeds, and may change.`]
      : []),
  ].join(' ');
}

/** Rows by name, the best first, each with its mean difference. */
function titles(rows: readonly Compared[], { metric }: Measure): string {
  if (rows.length === 0) return 'none';
  const shown = withFineShares(metric);
  const sorted = [...rows].sort((one, other) => other.gain - one.gain);
  const named = sorted
    .slice(0, mostNamed)
    .map(({ row, test }) => `${row.row.title} (${signed(test.mean, shown)})`);
  const rest = sorted.length - named.length;
  return [...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}

/** How many rows a sentence names; the table has the others. */
const mostNamed = 8;

/** Rows that trained exactly as the same strategy without their balancing method; none where none is known to. */
export function unchangedSentences(rows: readonly RowResults[]): string[] {
  const found = rows.filter(({ unchanged }) => unchanged);
  if (found.length === 0) return [];
  return [
    `At the chosen rate the balancing method changed nothing in any epoch, beside the same strategy at that rate without it: ${found
      .map(({ row }) => row.title)
      .join('; ')}.`,
  ];
}
