import { own } from '@multigrad/core/strategy';
import { csvLine } from '@multigrad/callbacks';
import type { Estimate } from '../shared/statistics.ts';
import type { Summary } from './figures.ts';
import { type PairedTest, seedsNeeded } from './paired-test.ts';

/**
 * The results as CSV (RFC 4180) with plain numbers: shares from 0 to 1, milliseconds, an empty cell where nothing is known.
 */
export function resultsCsv({ objectives, metrics, modalities, groups, rows }: Summary): string {
  const pair = (value: Estimate | null | undefined): (number | null)[] => [
    value?.mean ?? null,
    value?.sd ?? null,
  ];
  const tested = (test: PairedTest | null): (number | null)[] => [
    ...pair(test),
    test?.interval?.[0] ?? null,
    test?.interval?.[1] ?? null,
    test?.p ?? null,
    test?.corrected ?? null,
    test === null ? null : seedsNeeded(test),
  ];
  const heading = [
    'strategy',
    'title',
    'seeds',
    'finished',
    ...objectives.flatMap((name) => {
      const metric = metrics.get(name)!.name;
      return [`${name}_test_${metric}_mean`, `${name}_test_${metric}_sd`];
    }),
    'step_ms_mean',
    'step_ms_sd',
    'observed_step_ms_mean',
    'observed_step_ms_sd',
    ...groups.flatMap((key) => [`${key}_conflict_rate_mean`, `${key}_conflict_rate_sd`]),
    'steps',
    'lr',
    ...modalities.flatMap((name) => [`without_${name}_mean`, `without_${name}_sd`]),
    ...objectives.flatMap((name) => [
      `${name}_difference_mean`,
      `${name}_difference_sd`,
      `${name}_difference_low`,
      `${name}_difference_high`,
      `${name}_difference_p`,
      `${name}_difference_p_holm`,
      `${name}_difference_seeds_needed`,
    ]),
    ...objectives.map((name) => `${name}_standing`),
    'relative_gain_percent_mean',
    'relative_gain_percent_sd',
    'mean_rank',
    'hypervolume',
  ];
  const lines = rows.map((row) => [
    row.strategy,
    row.title,
    row.seeds.join(' '),
    row.unfinished ? 'no' : 'yes',
    ...objectives.flatMap((name) => pair(own(row.score, name))),
    ...pair(row.stepTime),
    ...pair(row.observedStepTime),
    ...groups.flatMap((key) => pair(own(row.conflictRate, key))),
    row.steps,
    row.lr,
    ...modalities.flatMap((name) => pair(own(row.without, name))),
    ...objectives.flatMap((name) => tested(own(row.difference, name) ?? null)),
    ...objectives.map((name) => own(row.standing, name) ?? null),
    ...pair(row.relativeGain),
    row.meanRank,
    row.hypervolume,
  ]);
  return [heading, ...lines].map(csvLine).join('');
}
