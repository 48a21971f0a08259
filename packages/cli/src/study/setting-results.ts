import { own } from '@multigrad/core/strategy';
import type { Summary } from '../results/figures.ts';
import { meanRanks } from '../results/metrics.ts';
import type { PairedTest } from '../results/paired-test.ts';
import { type ShownMetric, shownMetric } from '../results/shown-metric.ts';
import { summarize } from '../results/summary.ts';
import type { EpochRecord } from '../runs/records.ts';
import { estimate, type Estimate, mean } from '../shared/statistics.ts';
import { lateGain } from './flatness.ts';
import { type RowState, sweepOf } from './plan.ts';
import { runRecordOf, type StudyRecord } from './study-record.ts';
import type { StudyRow, StudySetting } from './study.ts';

/** The figures of one row of a setting. */
export interface RowResults {
  readonly row: StudyRow;
  /** The rate that was chosen; null while none is. */
  readonly rate: number | null;
  /** Where the chosen rate is the smallest or the largest of several that were tried. */
  readonly edge: 'smallest' | 'largest' | null;
  /** Whether no rate was found at which a run finishes. */
  readonly hopeless: boolean;
  /** Seeds whose run at the chosen rate finished. */
  readonly seeds: readonly number[];
  /** Seeds whose run at the chosen rate failed: a loss or a gradient was not finite. */
  readonly failed: readonly number[];
  /** By objective, on the test set after the last epoch. */
  readonly scores: Readonly<Record<string, Estimate | null>>;
  /**
   * What the score that rates are chosen by gained over the last fifth of training; null where that can't be told, or where
   * tasks have different metrics.
   */
  readonly gain: Estimate | null;
  /** Differences by reference and objective, seed by seed. */
  readonly differences: Readonly<Record<string, Readonly<Record<string, PairedTest | null>>>>;
  /** Rank among the rows of the setting that have a result, the mean over the compared objectives; null for a single row. */
  readonly meanRank: number | null;
  readonly seconds: Estimate | null;
}

/** The figures of a setting. */
export interface SettingResults {
  readonly setting: StudySetting;
  readonly objectives: readonly string[];
  readonly metrics: ReadonlyMap<string, ShownMetric>;
  /** Objectives in which rows are compared: the joint one, or all where tasks stand side by side. */
  readonly compared: readonly string[];
  /** Rows that others are compared with and that have a result. */
  readonly references: readonly string[];
  readonly rows: readonly RowResults[];
}

/** What the records of a setting say; rows without a run at a chosen rate have no figures. */
export function settingResults(
  setting: StudySetting,
  states: readonly RowState[],
  wanted: readonly string[],
): SettingResults {
  const { experiment } = setting;
  const { objectives, baseline } = experiment;
  const compared = baseline === null ? objectives : [baseline];
  const runs = states.flatMap(({ chosen }) =>
    chosen.filter(({ status }) => status === 'finished').map(runRecordOf),
  );
  const names = states.map(({ row }) => row.name);
  const sweep = sweepOf(setting, states[0]!.row);
  const rates = [...new Set(states.flatMap(({ row }) => row.rates))];
  const config = {
    ...sweep,
    ...{ strategies: names, seeds: setting.seeds },
    settings: { ...sweep.settings, lr: rates.join(',') },
  };
  const measured = new Set(runs.map(({ strategy }) => strategy));
  const references = wanted.filter((name) => measured.has(name));
  const summaries = new Map(references.map((name) => [name, summarize(config, runs, name)]));
  const any = summaries.get(references[0] ?? '') ?? summarize(config, runs);
  const metrics = new Map(objectives.map((name) => [name, shownMetric(config, name)]));
  const ranks = ranksOf(any, compared);
  return {
    ...{ setting, objectives, metrics, compared, references },
    rows: states.map((state) => ({
      ...rowResults(state, any, summaries, { compared, metrics, objectives }),
      meanRank: ranks.get(state.row.name) ?? null,
    })),
  };
}

/** The mean rank of each row over the compared objectives; none for a single row. */
function ranksOf({ rows, metrics }: Summary, compared: readonly string[]): Map<string, number> {
  if (rows.length < 2) return new Map();
  const scores = rows.map(({ score }) =>
    compared.map((name) => (own(score, name)?.mean ?? Number.NaN) * metrics.get(name)!.sign),
  );
  const ranks = meanRanks(scores);
  return new Map(rows.map(({ strategy }, index) => [strategy, ranks[index]!]));
}

type Measures = Pick<SettingResults, 'compared' | 'metrics' | 'objectives'>;

function rowResults(
  { row, rate, hopeless, chosen }: RowState,
  summary: Summary,
  summaries: ReadonlyMap<string, Summary>,
  { compared, metrics, objectives }: Measures,
): Omit<RowResults, 'meanRank'> {
  const finished = chosen.filter(({ status }) => status === 'finished');
  const found = summary.rows.find(({ strategy }) => strategy === row.name);
  const [least, most] = [Math.min(...row.rates), Math.max(...row.rates)];
  const edge = rate === least ? 'smallest' : rate === most ? 'largest' : null;
  const bySeed = (one: StudyRecord, other: StudyRecord): number => one.seed - other.seed;
  const seedsOf = (records: readonly StudyRecord[]): number[] =>
    [...records].sort(bySeed).map(({ seed }) => seed);
  const differences = Array.from(summaries, ([reference, { rows }]) => {
    const own = rows.find(({ strategy }) => strategy === row.name)?.difference ?? {};
    return [reference, reference === row.name ? {} : own] as const;
  });
  return {
    ...{ row, rate, hopeless, edge: row.rates.length > 1 ? edge : null },
    seeds: seedsOf(finished),
    failed: seedsOf(chosen.filter(({ status }) => status !== 'finished')),
    scores: Object.fromEntries(
      objectives.map((name) => [name, own(found?.score ?? {}, name) ?? null]),
    ),
    gain: estimate(finished.map((record) => lateGain(courseOf(record, compared, metrics)))),
    differences: Object.fromEntries(differences),
    seconds: estimate(finished.map(({ seconds }) => seconds)),
  };
}

/** The score of a run after each epoch, larger is better: the mean over the compared objectives, on validation data where there are some. */
function courseOf(
  record: StudyRecord,
  compared: readonly string[],
  metrics: ReadonlyMap<string, ShownMetric>,
): number[] {
  const alike = new Set(compared.map((name) => metrics.get(name)!.name)).size === 1;
  if (!alike) return [];
  return runRecordOf(record).epochs.map((epoch: EpochRecord) => {
    const scores = epoch.validation ?? epoch.test;
    return mean(
      compared.map((name) => {
        const { name: metric, sign } = metrics.get(name)!;
        return sign * (own(own(scores, name) ?? {}, metric) ?? Number.NaN);
      }),
    );
  });
}
