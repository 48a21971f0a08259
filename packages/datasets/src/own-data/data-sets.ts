import { type OptionSpecs, resolveOptions } from '@multigrad/core/strategy';
import type { BatchSource } from '../batch-source.ts';
import { subset } from '../split.ts';
import { assignParts } from './assign-parts.ts';
import { assertKinds, assertNamed } from './check-columns.ts';
import {
  type ClassColumn,
  type Column,
  type ColumnBatch,
  countOf,
  type FileColumn,
  type NumberColumn,
  sizeOf,
} from './column.ts';
import { sourceOf } from './column-source.ts';
import { prepareColumn } from './prepare-column.ts';
import type { Scale } from './scale.ts';
import { type Part, positionsOf } from './split-positions.ts';
import { assertTargets, summaryOf, type TargetColumns } from './target-counts.ts';

/** Inputs by name: each modality's, or the one of a network with several tasks. */
export type InputColumns = Readonly<Record<string, NumberColumn | FileColumn>>;

type NameOf<Columns> = keyof Columns & string;

/** What {@link dataSets} makes sets of. */
export interface DataSetsOptions<Inputs extends InputColumns, Targets extends TargetColumns> {
  readonly inputs: Inputs;
  readonly targets: Targets;
  /**
   * Share of the samples to select models by, 0 to 1.
   *
   * @defaultValue 0.15
   */
  readonly validation?: number;
  /**
   * Share of the samples to test on, above 0 and below 1; with `parts` it may not be given.
   *
   * @defaultValue 0.15
   */
  readonly test?: number;
  /**
   * Seed of the split, an integer >= 0. Keep it while other seeds change, so that all runs are tested on the same samples.
   *
   * @defaultValue 0
   */
  readonly seed?: number;
  /**
   * The classes that each part gets its share of; null deals samples out without regard to classes.
   *
   * @defaultValue the first target of classes
   */
  readonly stratify?: NameOf<Targets> | null;
  /**
   * A group for each sample, such as a patient: samples of one group come into the same part. Takes the place of `stratify`.
   *
   * @defaultValue none
   */
  readonly keepTogether?: readonly (string | number)[];
  /**
   * The part of each sample, where you have split already; null leaves one out. Where none is 'validation', the option
   * `validation` is the share of the training samples that become it.
   *
   * @defaultValue none
   */
  readonly parts?: readonly (Part | null)[];
  /**
   * Inputs and targets of numbers that are brought to mean 0 and deviation 1, as measured on the training samples.
   *
   * @defaultValue none
   */
  readonly standardize?: readonly (NameOf<Inputs> | NameOf<Targets>)[];
  /**
   * Inputs whose missing values become the mean of the training samples; in others they are refused.
   *
   * @defaultValue none
   */
  readonly fillMissing?: readonly NameOf<Inputs>[];
}

/** A batch: each input and each target as a tensor under its name. */
export type DataBatch<Inputs extends InputColumns, Targets extends TargetColumns> = {
  readonly [Name in keyof Inputs]: ColumnBatch<Inputs[Name]>;
} & { readonly [Name in keyof Targets]: ColumnBatch<Targets[Name]> };

/** A task as `multiTaskNetwork` of `@multigrad/models` takes it. */
export type TaskOf<C extends Column> = C extends ClassColumn
  ? { readonly kind: 'classification'; readonly classes: number }
  : { readonly kind: 'regression'; readonly size: number };

/** Data to train on, to select models by and to test on, with what a network has to know of them. */
export interface DataSets<Inputs extends InputColumns, Targets extends TargetColumns> {
  readonly train: BatchSource<DataBatch<Inputs, Targets>>;
  /** Null where the share is 0. */
  readonly validation: BatchSource<DataBatch<Inputs, Targets>> | null;
  readonly test: BatchSource<DataBatch<Inputs, Targets>>;
  /** Shape of one sample of each input. */
  readonly shapes: { readonly [Name in keyof Inputs]: number[] };
  /** Each target as a task of a network. */
  readonly tasks: { readonly [Name in keyof Targets]: TaskOf<Targets[Name]> };
  /** Names of the classes of each target that has classes, in the order of their labels. */
  readonly classes: Readonly<Record<string, readonly string[]>>;
  /** Mean and deviation of each entry that was standardised, to turn predictions back. */
  readonly scales: Readonly<Record<string, Scale>>;
  /** What was found, for a person: samples of each part, classes with their numbers, missing targets. */
  readonly summary: string;
}

/**
 * Splits your data into training, validation and test sets of batches, from columns of arrays, tables and pictures.
 *
 * The split is a function of `seed` and the order of the samples. With classes each part gets its share of each of them
 * (`stratify`). What is standardised or filled is measured on the training samples alone. Missing targets stay missing: a
 * label of −1, a NaN, which the losses of `@multigrad/models` leave out.
 *
 * @throws MultigradError `invalid-option` for an option out of its range; `invalid-data` for columns of different lengths,
 * a missing value of an input, a part without samples, a class without training samples, or a part in which no sample has a
 * target
 *
 * @example
 * ```ts
 * import { classesFrom, dataSets, numbersFrom } from '@multigrad/datasets';
 *
 * const points = Array.from({ length: 100 }, (_, i) => [Math.cos(i), Math.sin(i)]);
 * const data = dataSets({
 *   inputs: { point: numbersFrom(points) },
 *   targets: {
 *     side: classesFrom(points.map(([x]) => (x! > 0 ? 'right' : 'left'))),
 *     height: numbersFrom(points.map(([, y]) => y!)),
 *   },
 *   standardize: ['height'],
 * });
 * console.log(data.train.count, data.validation?.count, data.test.count); // 70 15 15
 * console.log(data.tasks.side, data.shapes.point); // { kind: 'classification', classes: 2 } [ 2 ]
 * ```
 */
export function dataSets<Inputs extends InputColumns, Targets extends TargetColumns>({
  inputs,
  targets,
  parts,
  keepTogether,
  stratify,
  standardize = [],
  fillMissing = [],
  ...given
}: DataSetsOptions<Inputs, Targets>): DataSets<Inputs, Targets> {
  const options = resolveOptions('dataSets', specs, given);
  assertKinds(inputs, targets);
  const count = countOf({ ...inputs, ...targets });
  const dealt = assignParts(count, targets, { ...options, parts, keepTogether, stratify, given });
  const train = positionsOf(dealt, 'train');
  assertNamed('standardize', standardize, { ...inputs, ...targets });
  assertNamed('fillMissing', fillMissing, inputs);
  const scaled = new Set<string>(standardize);
  const filled = new Set<string>(fillMissing);
  const prepared = Object.entries<Column>({ ...inputs, ...targets }).map(([name, column]) => ({
    name,
    ...prepareColumn(name, column, train, {
      isInput: Object.hasOwn(inputs, name),
      isScaled: scaled.has(name),
      isFilled: filled.has(name),
    }),
  }));
  const columns = new Map(prepared.map(({ name, column }) => [name, column]));
  const all = sourceOf<DataBatch<Inputs, Targets>>(columns, count);
  const positions = {
    train,
    validation: positionsOf(dealt, 'validation'),
    test: positionsOf(dealt, 'test'),
  };
  assertTargets(targets, positions);
  return {
    train: subset(all, positions.train),
    validation: positions.validation.length === 0 ? null : subset(all, positions.validation),
    test: subset(all, positions.test),
    shapes: mapRecord(inputs, ({ shape }) => [...shape]) as { [Name in keyof Inputs]: number[] },
    tasks: mapRecord(targets, (column) =>
      column.kind === 'classes'
        ? { kind: 'classification', classes: column.names.length }
        : { kind: 'regression', size: sizeOf(column.shape) },
    ) as { [Name in keyof Targets]: TaskOf<Targets[Name]> },
    classes: Object.fromEntries(
      Object.entries(targets).flatMap(([name, column]) =>
        column.kind === 'classes' ? [[name, column.names]] : [],
      ),
    ),
    scales: Object.fromEntries(
      prepared.flatMap(({ name, scale }) => (scale === null ? [] : [[name, scale]])),
    ),
    summary: summaryOf(targets, positions),
  };
}

function mapRecord<C, T>(
  record: Readonly<Record<string, C>>,
  map: (one: C) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, one]) => [name, map(one)]));
}

const share = (name: string) =>
  ({
    kind: 'number',
    default: 0.15,
    minimum: 0,
    maximum: 1,
    description: `Share of the samples for ${name}, 0 to 1.`,
  }) as const;

const specs: OptionSpecs<{ validation?: number; test?: number; seed?: number }> = {
  validation: share('validation'),
  test: share('testing'),
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of the split, an integer >= 0.',
  },
};
