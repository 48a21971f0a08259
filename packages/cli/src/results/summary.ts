import type { ComparisonConfig } from '../runs/config.ts';
import type { ConflictCount, RunRecord, StepTime } from '../runs/records.ts';
import { formatCount } from '../wording.ts';
import { type Estimate, estimate, median } from './statistics.ts';

/** One strategy's line of the results. */
export interface SummaryRow {
  /** The strategy's specifier. */
  readonly strategy: string;
  /** The seeds that the figures are taken over. */
  readonly seeds: readonly number[];
  /** Whether no run of it has finished, so that the figures are of runs cut short. */
  readonly unfinished: boolean;
  /** Test accuracy after the last epoch, 0 to 1, by objective. */
  readonly accuracy: Readonly<Record<string, Estimate | null>>;
  /** Median time of a plain training step, in milliseconds. */
  readonly stepTime: Estimate | null;
  /** Median time of a step that was swept again for diagnostics, in milliseconds. */
  readonly observedStepTime: Estimate | null;
  /** Share of the steps looked at in which two objectives' gradients were opposed, by group. */
  readonly conflictRate: Readonly<Record<string, Estimate | null>>;
  /** Training steps of a run; the largest, where runs differ. */
  readonly steps: number;
}

/** What a comparison has shown, ready for tables and charts. */
export interface Summary {
  readonly config: ComparisonConfig;
  /** Objectives in the order of the recipe. */
  readonly objectives: readonly string[];
  /** Keys of the groups that two or more objectives reach. */
  readonly groups: readonly string[];
  readonly rows: readonly SummaryRow[];
  /** The runs behind the rows: finished ones, or for a strategy without any, those cut short. */
  readonly shown: readonly RunRecord[];
  /** Sentences on runs that are missing, failed or cut short. */
  readonly notes: readonly string[];
}

function runsToShow(runs: readonly RunRecord[]): RunRecord[] {
  const finished = runs.filter((run) => run.result?.status === 'finished');
  return finished.length > 0 ? finished : runs.filter((run) => stepsOf(run) > 0);
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

/** How often each group's gradients were opposed over a whole run. */
export function conflictsOf(run: RunRecord): Record<string, ConflictCount> {
  if (run.result) return run.result.conflicts;
  const total: Record<string, ConflictCount> = {};
  for (const { conflicts } of run.epochs) {
    for (const [key, { seen, conflicting }] of Object.entries(conflicts)) {
      const before = total[key] ?? { seen: 0, conflicting: 0 };
      total[key] = { seen: before.seen + seen, conflicting: before.conflicting + conflicting };
    }
  }
  return total;
}

/** A sentence on a run that did not finish: how far it got and why it ended. */
export function unfinishedNote(run: RunRecord, epochs: number): string {
  const reached =
    run.epochs.length > 0
      ? `after epoch ${run.epochs.length} of ${epochs}`
      : `in its first epoch, after ${formatCount(stepsOf(run), 'step')}`;
  const name = `${run.strategy}, seed ${run.seed}`;
  if (run.result?.status === 'failed') {
    return `${name}: failed ${reached}: ${run.result.error?.message ?? 'no reason was recorded.'}`;
  }
  if (run.result?.status === 'refused') {
    return `${run.strategy} was refused: ${run.result.error?.message ?? 'no reason was recorded.'}`;
  }
  return `${name}: stopped ${reached}.`;
}

function uniqueInOrder(lists: Iterable<readonly string[]>): string[] {
  return [...new Set([...lists].flat())];
}

function rowOf(
  strategy: string,
  runs: readonly RunRecord[],
  objectives: readonly string[],
  groups: readonly string[],
): SummaryRow {
  const shown = runsToShow(runs);
  const byName = <T>(names: readonly string[], value: (name: string) => T): Record<string, T> =>
    Object.fromEntries(names.map((name) => [name, value(name)]));
  return {
    strategy,
    seeds: shown.map(({ seed }) => seed),
    unfinished: shown.some((run) => run.result?.status !== 'finished'),
    accuracy: byName(objectives, (name) =>
      estimate(shown.map((run) => run.epochs.at(-1)?.test[name]?.accuracy)),
    ),
    stepTime: estimate(shown.map((run) => stepTimeOf(run).plain)),
    observedStepTime: estimate(shown.map((run) => stepTimeOf(run).observed)),
    conflictRate: byName(groups, (key) =>
      estimate(
        shown.map((run) => {
          const count = conflictsOf(run)[key];
          return count && count.seen > 0 ? count.conflicting / count.seen : null;
        }),
      ),
    ),
    steps: Math.max(0, ...shown.map(stepsOf)),
  };
}

/**
 * Puts a comparison's runs together: per strategy the mean and spread over seeds after the last epoch. Nothing is
 * selected by its test accuracy.
 *
 * @remarks
 * A strategy's finished runs alone are averaged; where it has none, the runs that were cut short stand in and are marked.
 */
export function summarize(config: ComparisonConfig, runs: readonly RunRecord[]): Summary {
  const objectives = uniqueInOrder(
    runs.flatMap((run) => [
      ...run.epochs.slice(0, 1).map(({ test }) => Object.keys(test)),
      ...run.steps.slice(0, 1).map(({ losses }) => Object.keys(losses)),
    ]),
  );
  const groups = uniqueInOrder(runs.map((run) => Object.keys(conflictsOf(run))));
  const epochs = Number(config.settings['epochs']);
  const notes: string[] = [];
  for (const seed of config.seeds) {
    for (const strategy of config.strategies) {
      const run = runs.find((one) => one.strategy === strategy && one.seed === seed);
      if (run === undefined) notes.push(`${strategy}, seed ${seed}: not run yet.`);
      else if (run.result?.status !== 'finished') notes.push(unfinishedNote(run, epochs));
    }
  }
  const runsOf = (strategy: string): RunRecord[] => runs.filter((run) => run.strategy === strategy);
  return {
    config,
    objectives,
    groups,
    rows: config.strategies
      .map((strategy) => rowOf(strategy, runsOf(strategy), objectives, groups))
      .filter(({ seeds }) => seeds.length > 0),
    shown: config.strategies.flatMap((strategy) => runsToShow(runsOf(strategy))),
    notes,
  };
}
