import { own } from '@multigrad/core/strategy';
import { byName } from './by-name.ts';
import { testAccuracy } from './test-accuracy.ts';
import { meanRanks, pairedDifference, relativeGain } from './metrics.ts';
import { type Estimate, estimate, mean } from '../shared/statistics.ts';
import type { OwnFigures, ShownRun, SummaryRow } from './figures.ts';

/** Test accuracies of a strategy's runs by seed. */
function accuracyBySeed(
  shown: readonly ShownRun[],
  strategy: string,
  objective: string,
): Map<number, number> {
  return new Map(
    shown.flatMap((run): [number, number][] => {
      const accuracy = testAccuracy(run.epoch, objective);
      return run.strategy === strategy && accuracy !== undefined ? [[run.seed, accuracy]] : [];
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
    names.includes(`only-${objective}`) ? `only-${objective}` : 'joint',
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
): Estimate | null {
  const scores = objectives.map((objective) => accuracyBySeed(shown, strategy, objective));
  const alone = objectives.map((objective, k) => accuracyBySeed(shown, baselines[k]!, objective));
  return estimate(
    seeds.map((seed) => {
      const own = scores.map((bySeed) => bySeed.get(seed) ?? Number.NaN);
      const base = alone.map((bySeed) => bySeed.get(seed) ?? Number.NaN);
      const gain = relativeGain(own, base);
      return Number.isFinite(gain) ? gain : null;
    }),
  );
}

/** Adds to each strategy's figures those that compare it with others: relative gain, mean rank, differences. */
export function addComparisons(
  rows: readonly OwnFigures[],
  shown: readonly ShownRun[],
  objectives: readonly string[],
  reference: string,
): SummaryRow[] {
  const scores = rows.map(({ accuracy }) =>
    objectives.map((name) => own(accuracy, name)?.mean ?? Number.NEGATIVE_INFINITY),
  );
  const ranks = meanRanks(scores);
  const baselines = baselinesOf(rows, objectives);
  return rows.map((row, index) => ({
    ...row,
    relativeGain: baselines && relativeGains(row, shown, objectives, baselines),
    meanRank: rows.length > 1 && Number.isFinite(mean(scores[index]!)) ? ranks[index]! : null,
    difference: byName(objectives, (objective) =>
      row.strategy === reference
        ? null
        : pairedDifference(
            accuracyBySeed(shown, row.strategy, objective),
            accuracyBySeed(shown, reference, objective),
          ),
    ),
  }));
}
