import type { CompilationReport } from '@multigrad/core';
import type { AnalysisRecord, GradientRecord, LandscapeRecord } from './analysis-records.ts';
import { contributionShape } from './contribution-record.ts';
import type { GroupRecord, LineCounts, RunStatus } from './records.ts';
import {
  byName,
  count,
  dependent,
  fields,
  finite,
  flag,
  list,
  measured,
  oneOf,
  orNull,
  type Shape,
  text,
} from './shape.ts';

// The shapes that lines of files of records and results of runs are checked against.

const scores = byName(dependent(byName(measured), () => fields({ loss: measured })));
/** How often a group's gradients were opposed. */
export const conflictShape: Shape = fields({ seen: count, conflicting: count });

const conflicts = byName(conflictShape);
const stepTime = fields({ plain: measured, observed: measured });

const epoch = fields(
  {
    epoch: count,
    step: count,
    train: scores,
    test: scores,
    conflicts,
    stepTime,
    seconds: fields({ training: finite, evaluation: finite }),
  },
  { validation: scores, without: byName(scores), contribution: contributionShape },
);

/** A group, with a number for each of its objectives. */
const group = dependent(
  fields({ key: text, objectives: list(text) }),
  ({ objectives: { length } }: GroupRecord) =>
    fields(
      {
        norms: orNull(list(measured, length)),
        cosines: orNull(list(list(measured, length), length)),
        weights: list(measured, length),
        conflict: orNull(flag),
      },
      { note: text, diagnostics: byName(measured) },
    ),
);

const step = fields({
  step: count,
  epoch: count,
  milliseconds: finite,
  losses: byName(measured),
  backwardPasses: count,
  groups: list(group),
});

const spread = fields({
  objective: text,
  norm: measured,
  normDeviation: measured,
  meanNorm: measured,
  covarianceTrace: measured,
});

const gradients = fields({
  epoch: count,
  batches: count,
  parts: list(
    fields({
      part: text,
      objectives: list(spread),
      cosines: list(fields({ pair: list(text, 2), values: list(measured) })),
    }),
  ),
} satisfies Record<Exclude<keyof GradientRecord, 'kind'>, Shape>);

/** A grid of losses for each objective, as wide and as high as there are coordinates. */
const landscape = dependent(
  fields({ samples: count, coordinates: list(finite) }),
  ({ coordinates: { length } }: LandscapeRecord) =>
    fields({ losses: byName(list(list(measured, length), length)) }),
);

const analysis = dependent(
  fields({ kind: oneOf(['gradients', 'landscape']) }),
  ({ kind }: AnalysisRecord) => (kind === 'gradients' ? gradients : landscape),
);

/** How backward passes were made. */
export const compilationShape: Shape = fields({
  replayed: count,
  recorded: count,
  plain: byName(count),
  changed: orNull(text),
} satisfies Record<keyof CompilationReport, Shape>);

const statuses: Readonly<Record<RunStatus, true>> = {
  ...{ finished: true, refused: true, stopped: true, failed: true },
};

/** The shape of a line of each file of records. */
export const lineShapes: Readonly<Record<keyof LineCounts, Shape>> = {
  ...{ epochs: epoch, steps: step, analysis },
};

/** How many lines each file of records has. */
export const lineCountsShape: Shape = fields({ epochs: count, steps: count, analysis: count });

/** The shape of `result.json`. */
export const resultShape: Shape = fields(
  {
    status: oneOf(Object.keys(statuses)),
    epochs: count,
    steps: count,
    stepTime,
    conflicts,
    seconds: finite,
    backend: text,
    endedAt: text,
    lines: lineCountsShape,
  },
  {
    error: fields({ code: text, message: text }, { stack: text }),
    lostThreads: list(text),
    compilation: compilationShape,
  },
);
