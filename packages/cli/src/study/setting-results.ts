import { own } from '@multigrad/core/strategy';
import { meanRanks } from '../results/metrics.ts';
import { correctTogether, type PairedTest, pairedTest } from '../results/paired-test.ts';
import { selectEpoch } from '../results/selection.ts';
import { type ShownMetric, shownMetric, testScore } from '../results/shown-metric.ts';
import { withoutEffect } from '../results/without-effect.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import type { EpochRecord } from '../runs/records.ts';
import { estimate, type Estimate, mean } from '../shared/statistics.ts';
import { lateGain } from './flatness.ts';
import { type GradientCourse, gradientCourses } from './gradient-course.ts';
import { type RowState, sweepOf } from './plan.ts';
import { type BesidePeer, besidePeer } from './beside-peer.ts';
import { runRecordOf, type StudyRecord } from './study-record.ts';
import type { StudyRow, StudySetting } from './study.ts';

/** Something that rows are compared in: a score of one objective, or the mean score of several. */
export interface Measure {
  readonly title: string;
  readonly objectives: readonly string[];
  readonly metric: ShownMetric;
}

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
  /** On the test set after the last epoch, by objective and by measure. */
  readonly scores: Readonly<Record<string, Estimate | null>>;
  /** What the score that rates are chosen by gained over the last fifth of training; null where that can't be told. */
  readonly gain: Estimate | null;
  /** Differences seed by seed, by reference and measure. */
  readonly differences: Readonly<Record<string, Readonly<Record<string, PairedTest | null>>>>;
  /** Rank among the rows of the setting that have a result, the mean over the compared objectives; null for a single row. */
  readonly meanRank: number | null;
  /** Whether the balancing method changed nothing in any run at the chosen rate that has one without the method beside it. */
  readonly unchanged: boolean;
  /** The scores that the setting's peer has at the same rate and seeds; empty where it has none. */
  readonly besidePeer: readonly BesidePeer[];
  readonly seconds: Estimate | null;
}

/** The figures of a setting. */
export interface SettingResults {
  readonly setting: StudySetting;
  readonly objectives: readonly string[];
  readonly metrics: ReadonlyMap<string, ShownMetric>;
  /** Objectives in which rows are compared: the joint one, or all where tasks stand side by side. */
  readonly compared: readonly string[];
  /** What differences are taken of: each compared objective, or the mean of more than three that have the same metric. */
  readonly measures: readonly Measure[];
  /** Objectives whose mean score is followed over the epochs: those compared, as far as they have the first one's metric. */
  readonly followed: readonly string[];
  /** Rows that others are compared with and that have a result. */
  readonly references: readonly StudyRow[];
  readonly rows: readonly RowResults[];
  /** What the gradients of the first reference did over training, group by group. */
  readonly gradients: readonly GradientCourse[];
}

/** Tasks that stand side by side are compared one by one up to this number. */
const mostTasks = 3;

/** What the records of a setting say; rows without a run at a chosen rate have no figures. */
export function settingResults(
  setting: StudySetting,
  states: readonly RowState[],
  wanted: readonly string[],
): SettingResults {
  const { objectives, baseline } = setting.experiment;
  const compared = baseline === null ? objectives : [baseline];
  const config = sweepOf(setting, states[0]!.row);
  const metrics = new Map(objectives.map((name) => [name, shownMetric(config, name)]));
  const measures = measuresOf(compared, metrics);
  const followed = compared.filter(
    (name) => metrics.get(name)!.name === metrics.get(compared[0]!)!.name,
  );
  const single = objectives.map((name): Measure => measureOf(name, metrics));
  const scores = states.map((state) => scoresOf(state, [...measures, ...single], config));
  const references = wanted.flatMap((name) => {
    const found = states.findIndex(({ row }) => row.name === name);
    return found < 0 || scores[found]!.seeds.length === 0 ? [] : [states[found]!.row];
  });
  const bySeed = (row: StudyRow, measure: Measure): ReadonlyMap<number, number> =>
    scores[states.findIndex((state) => state.row === row)]!.bySeed.get(measure.title)!;
  const differences = new Map(
    references.map((reference) => [
      reference.name,
      new Map(
        measures.map((measure) => [
          measure.title,
          correctTogether(
            new Map(
              states
                .filter(({ row }) => row !== reference)
                .map(({ row }) => [
                  row.name,
                  pairedTest(bySeed(row, measure), bySeed(reference, measure)),
                ]),
            ),
          ),
        ]),
      ),
    ]),
  );
  const estimates = scores.map(({ bySeed }) =>
    Object.fromEntries(Array.from(bySeed, ([title, of]) => [title, estimate([...of.values()])])),
  );
  const ranks = ranksOf(estimates, compared, metrics);
  const unchanged = unchangedRows(states);
  return {
    ...{ setting, objectives, metrics, compared, measures, followed, references },
    gradients: gradientCourses(
      states.find(({ row }) => row.name === wanted[0])?.chosen.filter(finished) ?? [],
      baseline,
    ),
    rows: states.map((state, index) => ({
      ...progressOf(state),
      ...{ scores: estimates[index]!, seeds: scores[index]!.seeds },
      besidePeer: besidePeer(state, single),
      gain: estimate(
        state.chosen
          .filter(finished)
          .map((record) => lateGain(courseOf(record, followed, metrics))),
      ),
      differences: Object.fromEntries(
        Array.from(differences, ([reference, byMeasure]) => [
          reference,
          Object.fromEntries(
            Array.from(byMeasure, ([title, tests]) => [title, tests.get(state.row.name) ?? null]),
          ),
        ]),
      ),
      meanRank: ranks[index]!,
      unchanged: unchanged.has(state.row),
    })),
  };
}

const finished = ({ status }: StudyRecord): boolean => status === 'finished';

function measuresOf(
  compared: readonly string[],
  metrics: ReadonlyMap<string, ShownMetric>,
): Measure[] {
  const metric = metrics.get(compared[0]!)!;
  const alike = compared.every((name) => metrics.get(name)!.name === metric.name);
  if (alike && compared.length > mostTasks) {
    return [{ title: `mean of ${compared.length} tasks`, objectives: compared, metric }];
  }
  return compared.map((name) => measureOf(name, metrics));
}

const measureOf = (name: string, metrics: ReadonlyMap<string, ShownMetric>): Measure => ({
  title: name,
  objectives: [name],
  metric: metrics.get(name)!,
});

interface Scores {
  readonly seeds: readonly number[];
  /** Scores by measure and seed. */
  readonly bySeed: ReadonlyMap<string, ReadonlyMap<number, number>>;
}

/** The scores of a row's finished runs at its chosen rate, by ascending seed, at the epoch that is shown of each. */
function scoresOf(
  { chosen }: RowState,
  measures: readonly Measure[],
  config: ComparisonConfig,
): Scores {
  const runs = chosen
    .filter(finished)
    .sort((one, other) => one.seed - other.seed)
    .map((record) => ({ seed: record.seed, epoch: selectEpoch(runRecordOf(record), config) }));
  const scoreOf = (epoch: EpochRecord | null, { objectives, metric }: Measure): number =>
    mean(objectives.map((name) => testScore(epoch, name, metric) ?? Number.NaN));
  return {
    seeds: runs.map(({ seed }) => seed),
    bySeed: new Map(
      measures.map((measure) => [
        measure.title,
        new Map(
          runs
            .map(({ seed, epoch }): [number, number] => [seed, scoreOf(epoch, measure)])
            .filter(([, score]) => Number.isFinite(score)),
        ),
      ]),
    ),
  };
}

/** The mean rank of each row over the compared objectives; null without a result, and for a single row that has one. */
function ranksOf(
  rows: readonly Readonly<Record<string, Estimate | null>>[],
  compared: readonly string[],
  metrics: ReadonlyMap<string, ShownMetric>,
): (number | null)[] {
  const scores = rows.map((row) =>
    compared.map((name) => (own(row, name)?.mean ?? Number.NaN) * metrics.get(name)!.sign),
  );
  const known = scores.filter((row) => row.every(Number.isFinite));
  if (known.length < 2) return rows.map(() => null);
  const ranks = meanRanks(known);
  return scores.map((row) => (known.includes(row) ? ranks[known.indexOf(row)]! : null));
}

/** Rows whose balancing method changed nothing in the runs at the chosen rate, to the digits that records have. */
function unchangedRows(states: readonly RowState[]): Set<StudyRow> {
  const labelOf = ({ row }: RowState): string => row.strategy.specifier;
  const runs = states.flatMap((state) =>
    (state.row.balance === null ? [...new Set([...state.tried, ...state.chosen])] : state.chosen)
      .filter(finished)
      .map((record) => ({
        ...runRecordOf(record),
        strategy: labelOf(state),
      })),
  );
  const labels = new Set(withoutEffect(runs));
  return new Set(states.filter((state) => labels.has(labelOf(state))).map(({ row }) => row));
}

function progressOf({
  row,
  rate,
  hopeless,
  chosen,
}: RowState): Pick<RowResults, 'row' | 'rate' | 'hopeless' | 'edge' | 'failed' | 'seconds'> {
  const [least, most] = [Math.min(...row.rates), Math.max(...row.rates)];
  const edge = rate === least ? 'smallest' : rate === most ? 'largest' : null;
  return {
    ...{ row, rate, hopeless, edge: row.rates.length > 1 ? edge : null },
    failed: chosen
      .filter((record) => !finished(record))
      .map(({ seed }) => seed)
      .sort((one, other) => one - other),
    seconds: estimate(chosen.filter(finished).map(({ seconds }) => seconds)),
  };
}

/** The mean score of some objectives after each epoch, larger is better, on validation data where there are some. */
function courseOf(
  record: StudyRecord,
  followed: readonly string[],
  metrics: ReadonlyMap<string, ShownMetric>,
): number[] {
  return runRecordOf(record).epochs.map((epoch) => {
    const scores = epoch.validation ?? epoch.test;
    return mean(
      followed.map((name) => {
        const { name: metric, sign } = metrics.get(name)!;
        return sign * (own(own(scores, name) ?? {}, metric) ?? Number.NaN);
      }),
    );
  });
}
