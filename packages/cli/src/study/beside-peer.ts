import { own } from '@multigrad/core/strategy';
import { type PairedTest, pairedTest } from '../results/paired-test.ts';
import type { ShownMetric } from '../results/shown-metric.ts';
import { estimate, type Estimate } from '../shared/statistics.ts';
import type { PeerRecord } from './peer-records.ts';
import type { RowState } from './plan.ts';
import type { StudyRecord } from './study-record.ts';

/** One objective's test scores after the last epoch here and in another program, over the seeds that both have. */
export interface BesidePeer {
  readonly objective: string;
  readonly here: Estimate;
  readonly there: Estimate;
  /** Here minus there, seed by seed. */
  readonly difference: PairedTest;
  readonly seeds: readonly number[];
}

/** A row's scores after the last epoch beside its peer's, objective by objective. */
export function besidePeer(
  { chosen, peers }: RowState,
  objectives: readonly { readonly title: string; readonly metric: ShownMetric }[],
): BesidePeer[] {
  return objectives.flatMap(({ title, metric }): BesidePeer[] => {
    const last = ({ curves }: Pick<StudyRecord, 'curves'> | PeerRecord): number =>
      own(own(curves.test, title) ?? {}, metric.name)?.at(-1) ?? Number.NaN;
    const scored = (records: readonly (StudyRecord | PeerRecord)[]): Map<number, number> =>
      new Map(
        records
          .map((record): [number, number] => [record.seed, last(record)])
          .filter(([, score]) => Number.isFinite(score))
          .sort(([one], [other]) => one - other),
      );
    const here = scored(chosen.filter(({ status }) => status === 'finished'));
    const there = scored(peers);
    const difference = pairedTest(here, there);
    if (difference === null) return [];
    const seeds = [...here.keys()].filter((seed) => there.has(seed));
    const over = (scores: ReadonlyMap<number, number>): Estimate =>
      estimate(seeds.map((seed) => scores.get(seed)))!;
    return [{ objective: title, here: over(here), there: over(there), difference, seeds }];
  });
}
