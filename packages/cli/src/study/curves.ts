import { own } from '@multigrad/core/strategy';
import type { AnalysisRecord } from '../runs/analysis-records.ts';
import type { EpochRecord, ObjectiveScore, StepRecord } from '../runs/records.ts';
import { mean } from '../shared/statistics.ts';

/** What was measured after each epoch, by objective and metric; null for what was not measured. */
type Curve = Readonly<Record<string, Readonly<Record<string, readonly (number | null)[]>>>>;

/** The scores of a run over its epochs, on each data set. */
export interface Curves {
  readonly train: Curve;
  readonly validation?: Curve;
  readonly test: Curve;
}

/** What steps saw of a group's gradients, epoch by epoch. */
export interface GroupCurves {
  readonly objectives: readonly string[];
  /** Mean norm in each epoch, one list for each objective. */
  readonly norms: readonly (readonly (number | null)[])[];
  /** Quartiles of the cosines between any two objectives' gradients in each epoch; an empty list where none was seen. */
  readonly cosines: readonly (readonly number[])[];
}

/** How an objective's gradients vary from batch to batch at fixed weights, before training and after each epoch. */
export interface SpreadCurves {
  readonly objectives: readonly string[];
  /** Mean norm over the batches, one list for each objective. */
  readonly norms: readonly (readonly (number | null)[])[];
  /** Trace of the gradients' covariance over the batches, one list for each objective. */
  readonly traces: readonly (readonly (number | null)[])[];
  /** Quartiles of the cosines between any two objectives' gradients of a batch. */
  readonly cosines: readonly (readonly number[])[];
}

/** What was seen at fixed weights, by part of the network; parts that one objective alone reaches are left out. */
export function spreadCurvesOf(
  analysis: readonly AnalysisRecord[],
): Readonly<Record<string, SpreadCurves>> {
  const seen = analysis
    .filter((record) => record.kind === 'gradients')
    .sort((one, other) => one.epoch - other.epoch);
  const names = new Set(seen.flatMap(({ parts }) => parts.map(({ part }) => part)));
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const course = seen.map(({ parts }) => parts.find(({ part }) => part === name) ?? null);
      const objectives = course
        .find((part) => part !== null)!
        .objectives.map((one) => one.objective);
      if (objectives.length < 2) return [];
      const curve = (of: 'norm' | 'covarianceTrace'): (number | null)[][] =>
        objectives.map((objective) =>
          course.map((part) =>
            rounded(part?.objectives.find((one) => one.objective === objective)?.[of], 4),
          ),
        );
      const cosines = course.map((part) =>
        quartiles((part?.cosines ?? []).flatMap(({ values }) => values)),
      );
      return [
        [name, { objectives, norms: curve('norm'), traces: curve('covarianceTrace'), cosines }],
      ];
    }),
  );
}

/** By group. */
export type GradientCurves = Readonly<Record<string, GroupCurves>>;

/** Six digits: more than seeds agree in. */
function rounded(value: number | null | undefined, digits = 6): number | null {
  return typeof value === 'number' && Number.isFinite(value)
    ? Number(value.toPrecision(digits))
    : null;
}

type Scores = Readonly<Record<string, ObjectiveScore>>;

function curveOf(epochs: readonly Scores[]): Curve {
  const names = (values: readonly object[]): string[] => [
    ...new Set(values.flatMap((value) => Object.keys(value))),
  ];
  return Object.fromEntries(
    names(epochs).map((objective) => {
      const scores = epochs.map((epoch) => own(epoch, objective) ?? {});
      return [
        objective,
        Object.fromEntries(
          names(scores).map((metric) => [
            metric,
            scores.map((score) => rounded(own(score as Record<string, number>, metric))),
          ]),
        ),
      ];
    }),
  );
}

/** The curves of a run's epochs. */
export function curvesOf(epochs: readonly EpochRecord[]): Curves {
  const validation = epochs.map((epoch) => epoch.validation ?? {});
  const validated = epochs.some((epoch) => epoch.validation !== undefined);
  return {
    train: curveOf(epochs.map(({ train }) => train)),
    ...(validated ? { validation: curveOf(validation) } : {}),
    test: curveOf(epochs.map(({ test }) => test)),
  };
}

/** The epochs that curves were made of, as far as they hold them. */
export function epochsOf(
  curves: Curves,
  epochs: number,
  steps: number,
  without: EpochRecord['without'],
): EpochRecord[] {
  const scores = (curve: Curve, epoch: number): Scores =>
    Object.fromEntries(
      Object.entries(curve).map(([objective, metrics]) => [
        objective,
        Object.fromEntries(
          Object.entries(metrics).map(([metric, values]) => [metric, values[epoch] ?? Number.NaN]),
        ) as ObjectiveScore,
      ]),
    );
  return Array.from({ length: epochs }, (_, epoch) => ({
    epoch: epoch + 1,
    step: Math.round((steps * (epoch + 1)) / epochs),
    train: scores(curves.train, epoch),
    ...(curves.validation === undefined ? {} : { validation: scores(curves.validation, epoch) }),
    test: scores(curves.test, epoch),
    ...(without === undefined || epoch + 1 < epochs ? {} : { without }),
    conflicts: {},
    stepTime: { plain: null, observed: null },
    seconds: { training: 0, evaluation: 0 },
  }));
}

/** The quartiles of some values, by linear interpolation; an empty list where there is none. */
function quartiles(values: readonly number[]): number[] {
  if (values.length === 0) return [];
  const sorted = [...values].sort((a, b) => a - b);
  return [0.25, 0.5, 0.75].map((share) => {
    const at = share * (sorted.length - 1);
    const below = sorted[Math.floor(at)]!;
    return rounded(below + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - below), 4)!;
  });
}

/** What a run's recorded steps saw of gradients, for groups of two or more objectives. */
export function gradientCurvesOf(steps: readonly StepRecord[]): GradientCurves {
  const epochs = Math.max(0, ...steps.map(({ epoch }) => epoch));
  const seen = steps.flatMap(({ epoch, groups }) => groups.map((group) => ({ ...group, epoch })));
  const keys = new Set(seen.filter(({ norms }) => norms !== null).map(({ key }) => key));
  return Object.fromEntries(
    [...keys].flatMap((key) => {
      const all = seen.filter((group) => group.key === key);
      // A group whose objectives vary from batch to batch is described by its largest set.
      const { objectives } = all.reduce((a, b) =>
        b.objectives.length > a.objectives.length ? b : a,
      );
      if (objectives.length < 2) return [];
      const byEpoch = Array.from({ length: epochs }, (_, epoch) =>
        all.filter((group) => group.epoch === epoch + 1),
      );
      const norms = objectives.map((objective) =>
        byEpoch.map((groups) => {
          const values = groups.flatMap((group) => {
            const norm = group.norms?.[group.objectives.indexOf(objective)];
            return norm === undefined ? [] : [norm];
          });
          return values.length === 0 ? null : rounded(mean(values), 4);
        }),
      );
      const cosines = byEpoch.map((groups) =>
        quartiles(
          groups.flatMap(({ cosines: matrix }) =>
            (matrix ?? []).flatMap((line, i) => line.slice(0, i).filter(Number.isFinite)),
          ),
        ),
      );
      return [[key, { objectives, norms, cosines }]];
    }),
  );
}
