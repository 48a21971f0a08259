import { own } from '@multigrad/core/strategy';
import type { SampleMean } from '@multigrad/models';
import type { ContributionRecord } from '../runs/contribution-record.ts';
import { estimate } from '../shared/statistics.ts';
import { aloneName } from '../strategies/single.ts';
import type { Summary } from './figures.ts';
import { formatDifference, formatEstimate, type Table } from './table.ts';

/** Shares as percentage points, as tables show them. */
const points = { scale: 100, digits: 1 } as const;

/** A figure of a strategy over its seeds, with the ends of what is known of it. */
export interface ContributionEstimate {
  readonly mean: number;
  /** One standard deviation over seeds to either side; for one seed the interval of 95 % over samples. */
  readonly low: number;
  readonly high: number;
  /** Standard deviation over seeds; null for one seed. */
  readonly sd: number | null;
}

/** The contributions of a strategy's runs after the chosen epoch, one for each seed that measured them. */
export function contributionRecords(
  { shown }: Summary,
  strategy: string,
): readonly ContributionRecord[] {
  return shown.flatMap((run) => {
    const record = run.strategy === strategy ? run.epoch?.contribution : undefined;
    return record === undefined ? [] : [record];
  });
}

/** The modalities whose contributions were measured, in the order of the experiment. */
export function measuredModalities({ shown }: Summary): readonly string[] {
  const names = shown.flatMap(({ epochs }) =>
    epochs.flatMap(({ contribution }) => contribution?.modalities ?? []),
  );
  return [...new Set(names)];
}

/** Mean over seeds; null where no seed has the figure. */
export function overSeeds(found: readonly (SampleMean | undefined)[]): ContributionEstimate | null {
  const present = found.filter((one) => one !== undefined);
  const known = estimate(present.map(({ value }) => value));
  if (known === null) return null;
  const { mean, sd } = known;
  const [only] = present as [SampleMean];
  return sd === null
    ? { mean, sd, low: only.low ?? mean, high: only.high ?? mean }
    : { mean, sd, low: mean - sd, high: mean + sd };
}

/** `+12.3 ± 1.0` over seeds, `+12.3 [+11.1, +13.5]` of one. */
export function formatContribution(found: ContributionEstimate | null): string {
  if (found === null) return formatDifference(null, points);
  const { mean, sd, low, high } = found;
  return sd === null
    ? formatDifference({ mean, interval: [low, high] }, points)
    : `${formatDifference({ mean, interval: null }, points)} ± ${(100 * sd).toFixed(1)}`;
}

/**
 * What each modality contributes, a line for each strategy and modality, with the figures of competing modalities beside
 * it; null where nothing was measured.
 */
export function contributionTable(summary: Summary): Table | null {
  const modalities = measuredModalities(summary);
  if (modalities.length === 0) return null;
  const heads = modalities.some((name) => summary.objectives.includes(name));
  const alone = new Map(
    modalities.map((name) => [
      name,
      summary.rows.find(({ strategy }) => strategy === aloneName(name)) ?? null,
    ]),
  );
  const trained = [...alone.values()].some((row) => row !== null);
  const scoreOf = (row: Summary['rows'][number] | null, name: string): string =>
    formatEstimate(row === null ? null : (own(row.score, name) ?? null), 100, 1);
  return {
    columns: [
      { title: 'strategy', detail: '' },
      { title: 'modality', detail: '' },
      { title: 'contribution', detail: 'points' },
      { title: 'gain alone', detail: 'points' },
      { title: 'drop masked', detail: 'points' },
      ...(heads ? [{ title: 'own head', detail: 'test %' }] : []),
      ...(trained ? [{ title: 'trained alone', detail: 'test %' }] : []),
      { title: 'ρ', detail: '' },
    ],
    rows: summary.rows.flatMap((row) => {
      const records = contributionRecords(summary, row.strategy);
      if (records.length === 0) return [];
      return modalities.map((name) => [
        row.title + (row.unfinished ? ' †' : ''),
        name,
        ...(['contributions', 'gains', 'drops'] as const).map((figure) =>
          formatContribution(overSeeds(records.map((record) => own(record[figure], name)))),
        ),
        ...(heads ? [scoreOf(row, name)] : []),
        ...(trained ? [scoreOf(alone.get(name) ?? null, name)] : []),
        formatEstimate(estimate(records.map(({ imbalance }) => own(imbalance, name))), 1, 2),
      ]);
    }),
  };
}

/** What modalities have together, a line for each strategy; null where nothing was measured. */
export function cooperationTable(summary: Summary): Table | null {
  const rows = summary.rows.flatMap((row) => {
    const records = contributionRecords(summary, row.strategy);
    return records.length === 0 ? [] : [{ row, records }];
  });
  const [first] = rows;
  if (first === undefined) return null;
  const pairs = first.records[0]!.interactions.map(({ pair }) => pair);
  const many = measuredModalities(summary).length > 2;
  return {
    columns: [
      { title: 'strategy', detail: '' },
      { title: 'joint', detail: 'test %' },
      { title: 'chance', detail: 'test %' },
      ...pairs.map(([a, b]) => ({ title: `${a} × ${b}`, detail: 'points' })),
      ...(many ? [{ title: 'cooperation', detail: 'points' }] : []),
    ],
    rows: rows.map(({ row, records }) => [
      row.title + (row.unfinished ? ' †' : ''),
      formatEstimate(estimate(records.map(({ joint }) => joint)), 100, 1),
      formatEstimate(estimate(records.map(({ chance }) => chance)), 100, 1),
      ...pairs.map((_, k) =>
        formatContribution(overSeeds(records.map(({ interactions }) => interactions[k]))),
      ),
      ...(many
        ? [formatContribution(overSeeds(records.map(({ cooperation }) => cooperation)))]
        : []),
    ]),
  };
}

/** What the columns of both tables are. */
export function contributionCaption(summary: Summary): string {
  const [record] = summary.rows.flatMap(({ strategy }) => contributionRecords(summary, strategy));
  const mask = { zero: 'zeros', mean: 'its mean over the training set', token: 'a learnt token' }[
    record?.masks ?? 'zero'
  ];
  const brackets =
    summary.config.seeds.length > 1
      ? '± one standard deviation over seeds.'
      : 'In brackets the 95 % interval over test samples, at these weights: it says nothing about other seeds.';
  return (
    `Contribution: the Shapley value of a modality over ${mask} in its place; a strategy's contributions add up to the joint ` +
    'head’s accuracy less chance, its accuracy with every modality masked. Gain alone: what the modality adds where no ' +
    'other is seen. Drop masked: what is lost where it alone is masked. ρ: the probability of the right class from this ' +
    'modality alone over that from the others, 1 where none leads. A product of two modalities is their interaction: ' +
    `above 0 they complement each other, below 0 they say the same. ${brackets}`
  );
}
