import { own } from '@multigrad/core/strategy';
import type { ComparisonConfig } from '../runs/config.ts';
import { describedExperiment } from '../experiments/described.ts';
import type { ConflictCount, RunRecord, StepTime } from '../runs/records.ts';
import { runNames } from '../runs/run-names.ts';
import { formatCount } from '../shared/wording.ts';
import { rayTitles, strategyTitles } from '../strategies/strategy-titles.ts';
import { byName } from './by-name.ts';
import { type ShownMetric, shownMetric, testScore } from './shown-metric.ts';
import { addComparisons } from './comparisons.ts';
import { hypervolume } from './metrics.ts';
import { selectEpoch, selectRate } from './selection.ts';
import { estimate, median } from '../shared/statistics.ts';
import { learningRates } from '../runs/settings.ts';
import { withoutEffect } from './without-effect.ts';
import type { OwnFigures, ShownRun, Summary } from './figures.ts';

/** One strategy's finished runs at its chosen learning rate; where none has finished, those that took a step at least. */
function runsToShow(all: readonly RunRecord[], config: ComparisonConfig): ShownRun[] {
  const rate = selectRate(all, config);
  const runs = all.filter(({ lr }) => lr === rate);
  const finished = runs.filter((run) => run.result?.status === 'finished');
  const shown = finished.length > 0 ? finished : runs.filter((run) => stepsOf(run) > 0);
  return shown.map((run) => ({ ...run, epoch: selectEpoch(run, config) }));
}

/** Training steps that a run has taken, as far as its files tell. */
export function stepsOf(run: RunRecord): number {
  return run.result?.steps ?? run.epochs.at(-1)?.step ?? 0;
}

function stepTimeOf(run: RunRecord): StepTime {
  if (run.result) return run.result.stepTime;
  const middle = (kind: keyof StepTime): number | null => {
    const times = run.epochs.map(({ stepTime }) => stepTime[kind]).filter((time) => time !== null);
    return times.length > 0 ? median(times) : null;
  };
  return { plain: middle('plain'), observed: middle('observed') };
}

/** How often each group's gradients were opposed over a whole run, by the group's key. */
export function conflictsOf(run: RunRecord): ReadonlyMap<string, ConflictCount> {
  if (run.result) return new Map(Object.entries(run.result.conflicts));
  const total = new Map<string, ConflictCount>();
  for (const [key, { seen, conflicting }] of run.epochs.flatMap(({ conflicts }) =>
    Object.entries(conflicts),
  )) {
    const before = total.get(key) ?? { seen: 0, conflicting: 0 };
    total.set(key, { seen: before.seen + seen, conflicting: before.conflicting + conflicting });
  }
  return total;
}

/** A sentence on a run that did not finish: how far it got and why it ended. */
export function unfinishedNote(
  run: RunRecord,
  epochs: number,
  titles: ReadonlyMap<string, string>,
  rate = '',
): string {
  const reached =
    run.epochs.length > 0
      ? `after epoch ${run.epochs.length} of ${epochs}`
      : `in its first epoch, after ${formatCount(stepsOf(run), 'step')}`;
  const name = runTitle(run, titles, rate);
  if (run.result?.status === 'failed') {
    return `${name}: failed ${reached}: ${run.result.error?.message ?? 'no reason was recorded.'}`;
  }
  if (run.result?.status === 'refused') {
    return `${titles.get(run.strategy) ?? run.strategy} was refused: ${run.result.error?.message ?? 'no reason was recorded.'}`;
  }
  return `${name}: stopped ${reached}.`;
}

/** What a sentence calls a run. */
export function runTitle(
  { strategy, seed }: { readonly strategy: string; readonly seed: number },
  titles: ReadonlyMap<string, string>,
  rate = '',
): string {
  return `${titles.get(strategy) ?? strategy}, seed ${seed}${rate}`;
}

function uniqueInOrder(lists: Iterable<readonly string[]>): string[] {
  return [...new Set([...lists].flat())];
}

/** Objectives, modalities and groups for which a summary has figures. */
interface Measures {
  readonly objectives: readonly string[];
  readonly modalities: readonly string[];
  readonly groups: readonly string[];
  /** The joint objective, which the network is also measured by without a modality. */
  readonly joint: string;
  /** What is shown of each objective. */
  readonly metrics: ReadonlyMap<string, ShownMetric>;
}

function ownFigures(
  strategy: string,
  title: string,
  shown: readonly ShownRun[],
  { objectives, modalities, groups, joint, metrics }: Measures,
): OwnFigures {
  const areShares = [...metrics.values()].every(({ scale, sign }) => scale === 100 && sign === 1);
  const points = shown.flatMap(({ epoch }) => {
    const point = objectives.map((name) => testScore(epoch, name, metrics.get(name)!));
    return point.every((value) => value !== undefined) ? [point] : [];
  });
  return {
    strategy,
    title,
    seeds: shown.map(({ seed }) => seed),
    lr: shown[0]?.lr ?? Number.NaN,
    unfinished: shown.some((run) => run.result?.status !== 'finished'),
    score: byName(objectives, (name) =>
      estimate(shown.map(({ epoch }) => testScore(epoch, name, metrics.get(name)!))),
    ),
    without: byName(modalities, (name) =>
      estimate(
        shown.map(({ epoch }) => {
          const scores = own(own(epoch?.without ?? {}, name) ?? {}, joint);
          return scores && own(scores, metrics.get(joint)!.name);
        }),
      ),
    ),
    hypervolume: points.length > 0 && areShares ? hypervolume(points) : null,
    stepTime: estimate(shown.map((run) => stepTimeOf(run).plain)),
    observedStepTime: estimate(shown.map((run) => stepTimeOf(run).observed)),
    conflictRate: byName(groups, (key) =>
      estimate(
        shown.map((run) => {
          const count = conflictsOf(run).get(key);
          return count && count.seen > 0 ? count.conflicting / count.seen : null;
        }),
      ),
    ),
    steps: Math.max(0, ...shown.map(stepsOf)),
  };
}

/**
 * Puts a comparison's runs together: per strategy the mean and spread over seeds after the last epoch, or after the one
 * that validates best. Nothing is selected by the test set.
 *
 * @remarks
 * A strategy's finished runs alone are averaged; where it has none, the runs that were cut short stand in and are marked.
 *
 * @param wanted - the strategy that differences are taken to; left out: the sum
 */
export function summarize(
  config: ComparisonConfig,
  runs: readonly RunRecord[],
  wanted = 'sum',
): Summary {
  const objectives = uniqueInOrder(
    runs.flatMap((run) => [
      ...run.epochs.slice(0, 1).map(({ test }) => Object.keys(test)),
      ...run.steps.slice(0, 1).map(({ losses }) => Object.keys(losses)),
    ]),
  );
  const modalities = uniqueInOrder(
    runs.flatMap((run) => run.epochs.map(({ without = {} }) => Object.keys(without))),
  );
  const groups = uniqueInOrder(runs.map((run) => [...conflictsOf(run).keys()]));
  const experiment = describedExperiment(config);
  const joint = experiment?.baseline ?? objectives[0] ?? '';
  const titles = rayTitles(
    strategyTitles(experiment, config.strategies, config.titles),
    Object.keys(config.rays ?? {}),
  );
  const metrics = new Map([...objectives, joint].map((name) => [name, shownMetric(config, name)]));
  const shown = config.strategies.flatMap((strategy) =>
    runsToShow(
      runs.filter((run) => run.strategy === strategy),
      config,
    ),
  );
  const rows = config.strategies
    .map((strategy) =>
      ownFigures(
        strategy,
        titles.get(strategy)!,
        shown.filter((run) => run.strategy === strategy),
        { objectives, modalities, groups, joint, metrics },
      ),
    )
    .filter(({ seeds }) => seeds.length > 0);
  const names = rows.map(({ strategy }) => strategy);
  const reference = names.includes(wanted) ? wanted : (names[0] ?? '');
  return {
    config,
    objectives,
    metrics,
    modalities,
    groups,
    titles,
    reference,
    rows: addComparisons(rows, shown, objectives, reference, metrics),
    shown,
    notes: notesOn(config, runs, titles),
    withoutEffect: withoutEffect(runs),
  };
}

/** Sentences on the runs of a configuration that are missing, failed or cut short. */
function notesOn(
  config: ComparisonConfig,
  runs: readonly RunRecord[],
  titles: ReadonlyMap<string, string>,
): string[] {
  const epochs = Number(config.settings['epochs']);
  const swept = learningRates(config.settings).length > 1;
  return runNames(config).flatMap((wanted) => {
    const run = runs.find(
      (one) => one.strategy === wanted.strategy && one.seed === wanted.seed && one.lr === wanted.lr,
    );
    const rate = swept ? `, learning rate ${wanted.lr}` : '';
    if (run === undefined) return [`${runTitle(wanted, titles, rate)}: not run yet.`];
    const gaps = run.gaps.map((gap) => `${runTitle(run, titles, rate)}: ${gap}`);
    if (run.result?.status === 'finished') return gaps;
    return [unfinishedNote(run, epochs, titles, rate), ...gaps];
  });
}
