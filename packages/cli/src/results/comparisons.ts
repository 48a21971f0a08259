import { own } from '@multigrad/core/strategy';
import { aloneName } from '../strategies/single.ts';
import { byName } from './by-name.ts';
import { type ShownMetric, testScore } from './shown-metric.ts';
import { meanRanks, relativeGain } from './metrics.ts';
import { correctTogether, type PairedTest, pairedTest, significance } from './paired-test.ts';
import { type Estimate, estimate, mean } from '../shared/statistics.ts';
import type { OwnFigures, ShownRun, Standing, SummaryRow } from './figures.ts';

type Metrics = ReadonlyMap<string, ShownMetric>;

/** What is shown of a strategy's runs by seed. */
function scoreBySeed(
  shown: readonly ShownRun[],
  strategy: string,
  objective: string,
  metrics: Metrics,
): Map<number, number> {
  return new Map(
    shown.flatMap((run): [number, number][] => {
      const score = testScore(run.epoch, objective, metrics.get(objective)!);
      return run.strategy === strategy && score !== undefined ? [[run.seed, score]] : [];
    }),
  );
}

/**
 * The strategies that trained on one objective alone, in the order of the objectives: `only-<objective>`, and `joint` for
 * the joint one; null where one of them was not run.
 */
function baselinesOf(
  rows: readonly OwnFigures[],
  objectives: readonly string[],
): readonly string[] | null {
  const names = rows.map(({ strategy }) => strategy);
  const baselines = objectives.map((objective) =>
    names.includes(aloneName(objective)) ? aloneName(objective) : 'joint',
  );
  const distinct = new Set(baselines).size === objectives.length;
  return distinct && baselines.every((name) => names.includes(name)) ? baselines : null;
}

/** The relative gain of each of a strategy's seeds over the baselines of the same seed. */
function relativeGains(
  { strategy, seeds }: OwnFigures,
  shown: readonly ShownRun[],
  objectives: readonly string[],
  baselines: readonly string[],
  metrics: Metrics,
): Estimate | null {
  const scores = objectives.map((objective) => scoreBySeed(shown, strategy, objective, metrics));
  const signs = objectives.map((objective) => metrics.get(objective)!.sign);
  const alone = objectives.map((objective, k) =>
    scoreBySeed(shown, baselines[k]!, objective, metrics),
  );
  return estimate(
    seeds.map((seed) => {
      const own = scores.map((bySeed) => bySeed.get(seed) ?? Number.NaN);
      const base = alone.map((bySeed) => bySeed.get(seed) ?? Number.NaN);
      const gain = relativeGain(
        own.map((score, k) => score * signs[k]!),
        base.map((score, k) => score * signs[k]!),
      );
      return Number.isFinite(gain) ? gain : null;
    }),
  );
}

/** What each strategy's runs differ by from those of another, seed by seed, corrected for their number. */
function differencesTo(
  reference: string,
  strategies: readonly string[],
  shown: readonly ShownRun[],
  objective: string,
  metrics: Metrics,
): ReadonlyMap<string, PairedTest | null> {
  const base = scoreBySeed(shown, reference, objective, metrics);
  return correctTogether(
    new Map(
      strategies
        .filter((strategy) => strategy !== reference)
        .map((strategy) => [
          strategy,
          pairedTest(scoreBySeed(shown, strategy, objective, metrics), base),
        ]),
    ),
  );
}

/**
 * Where strategies stand beside the one with the best mean. Those whose paired test against it, corrected for their number,
 * gives p ≥ .05 are not distinguishable from it. Runs cut short take no part, nor does what only one seed has measured.
 */
function standings(
  rows: readonly OwnFigures[],
  shown: readonly ShownRun[],
  objective: string,
  metrics: Metrics,
): ReadonlyMap<string, Standing> {
  const measured = rows.flatMap(({ strategy, unfinished, score }) => {
    const found = own(score, objective);
    return found && found.n > 1 && !unfinished
      ? [{ strategy, value: found.mean * metrics.get(objective)!.sign }]
      : [];
  });
  if (measured.length < 2) return new Map();
  const best = measured.reduce((a, b) => (b.value > a.value ? b : a)).strategy;
  const tests = differencesTo(
    best,
    measured.map(({ strategy }) => strategy),
    shown,
    objective,
    metrics,
  );
  const others = [...tests].flatMap(([strategy, test]): [string, Standing][] =>
    test?.corrected == null ? [] : [[strategy, test.corrected < significance ? 'behind' : 'close']],
  );
  return others.length > 0 ? new Map([[best, 'best'], ...others]) : new Map();
}

/** Adds to each strategy's figures those that compare it with others: relative gain, mean rank, differences. */
export function addComparisons(
  rows: readonly OwnFigures[],
  shown: readonly ShownRun[],
  objectives: readonly string[],
  reference: string,
  metrics: Metrics,
): SummaryRow[] {
  const scores = rows.map(({ score }) =>
    objectives.map((name) => {
      const { sign } = metrics.get(name)!;
      return (own(score, name)?.mean ?? Number.NEGATIVE_INFINITY * sign) * sign;
    }),
  );
  const ranks = meanRanks(scores);
  const baselines = baselinesOf(rows, objectives);
  const strategies = rows.map(({ strategy }) => strategy);
  const differences = new Map(
    objectives.map((name) => [name, differencesTo(reference, strategies, shown, name, metrics)]),
  );
  const places = new Map(objectives.map((name) => [name, standings(rows, shown, name, metrics)]));
  return rows.map((row, index) => ({
    ...row,
    relativeGain: baselines && relativeGains(row, shown, objectives, baselines, metrics),
    meanRank: rows.length > 1 && Number.isFinite(mean(scores[index]!)) ? ranks[index]! : null,
    difference: byName(objectives, (name) => differences.get(name)!.get(row.strategy) ?? null),
    standing: byName(objectives, (name) => places.get(name)!.get(row.strategy) ?? null),
  }));
}
