import { createHash } from 'node:crypto';
import { join } from 'node:path';
import process from 'node:process';
import { type Files, makeFolders, readPlainFile, replaceDurably } from '@multigrad/core/files';
import { MultigradError, own } from '@multigrad/core/strategy';
import { ioError, isMissing } from '@multigrad/core/support';
import { version_core as tensorflowJs } from '@tensorflow/tfjs-core';
import { settingSpecs } from '../experiments/settings.ts';
import { conflictShape } from '../runs/record-shapes.ts';
import type { ConflictCount, EpochRecord, RunRecord, RunStatus } from '../runs/records.ts';
import type { Settings } from '../runs/settings.ts';
import {
  assertShape,
  byName,
  count,
  fields,
  finite,
  list,
  measured,
  oneOf,
  orNull,
  text,
} from '../runs/shape.ts';
import { version } from '../shared/version.ts';
import {
  type Curves,
  curvesOf,
  epochsOf,
  type GradientCurves,
  gradientCurvesOf,
  type SpreadCurves,
  spreadCurvesOf,
} from './curves.ts';
import type { StudyRow, StudySetting } from './study.ts';

/** One run of a study: a row of a setting with a learning rate and a seed. */
export interface StudyRun {
  readonly setting: StudySetting;
  readonly row: StudyRow;
  readonly lr: number;
  readonly seed: number;
}

/** What decides the figures of a run, beside its learning rate and seed. */
interface Conditions {
  readonly experiment: string;
  /** Digest of the text of a user's experiment; null for one that comes along. */
  readonly module: string | null;
  readonly strategy: string;
  readonly balance: string | null;
  /** All options of the experiment but folders, the learning rate, and what no figure depends on. */
  readonly settings: Settings;
}

/** The record of a run that has ended: a small file from which tables are made, here or elsewhere. */
export interface StudyRecord extends Conditions {
  readonly format: 1;
  readonly study: string;
  readonly setting: string;
  readonly row: string;
  readonly lr: number;
  readonly seed: number;
  /** Of what decides the figures: of two records with the same one only rate and seed differ. */
  readonly digest: string;
  /** `failed` where a loss or a gradient was not finite. */
  readonly status: Extract<RunStatus, 'finished' | 'refused' | 'failed'>;
  readonly error?: { readonly code: string; readonly message: string };
  readonly versions: {
    readonly multigrad: string;
    readonly tensorflowJs: string;
    readonly node: string;
  };
  readonly platform: string;
  readonly backend: string;
  /** Threads that the process was given; null where the backend chose. */
  readonly threads: number | null;
  readonly epochs: number;
  readonly steps: number;
  /** Wall time of the whole run. */
  readonly seconds: number;
  /** Median time of a step, in milliseconds. */
  readonly stepMilliseconds: number | null;
  /** The most memory that the process had at once, in MiB. */
  readonly peakMemory: number;
  readonly endedAt: string;
  readonly curves: Curves;
  /** On the test set with one modality set to zero after the last epoch, by modality and objective. */
  readonly without?: EpochRecord['without'];
  readonly conflicts: Readonly<Record<string, ConflictCount>>;
  readonly gradients: GradientCurves;
  /** At fixed weights between epochs, by part of the network; absent where nobody looked. */
  readonly spread?: Readonly<Record<string, SpreadCurves>>;
}

const curveShape = byName(byName(list(measured)));
const recordShape = fields(
  {
    ...{ study: text, setting: text, row: text, experiment: text, strategy: text, digest: text },
    ...{ module: orNull(text), balance: orNull(text), lr: finite, seed: count },
    settings: byName((value, at = '') =>
      ['string', 'number', 'boolean'].includes(typeof value)
        ? null
        : { at, expected: 'a text, a number, true or false', found: value },
    ),
    status: oneOf(['finished', 'refused', 'failed']),
    versions: fields({ multigrad: text, tensorflowJs: text, node: text }),
    ...{ platform: text, backend: text, threads: orNull(count), epochs: count, steps: count },
    ...{ seconds: finite, stepMilliseconds: measured, peakMemory: finite, endedAt: text },
    curves: fields({ train: curveShape, test: curveShape }, { validation: curveShape }),
    conflicts: byName(conflictShape),
    gradients: byName(
      fields({
        objectives: list(text),
        norms: list(list(measured)),
        cosines: list(list(measured)),
      }),
    ),
  },
  {
    error: fields({ code: text, message: text }),
    without: byName(byName(byName(measured))),
    spread: byName(
      fields({
        objectives: list(text),
        norms: list(list(measured)),
        traces: list(list(measured)),
        cosines: list(list(measured)),
      }),
    ),
  },
);

/** Options on which no figure of a run depends. */
const immaterial: ReadonlySet<string> = new Set(['lr', 'backend', 'checkpoint']);

function conditionsOf({ setting, row }: StudyRun): Conditions {
  const { experiment, outside, settings } = setting;
  const specs = settingSpecs(experiment);
  const material = Object.entries(settings).filter(
    ([name]) => !immaterial.has(name) && own(specs, name)?.kind !== 'path',
  );
  return {
    experiment: experiment.name,
    module: outside?.digest ?? null,
    strategy: row.strategy.specifier,
    balance: row.balance,
    settings: Object.fromEntries(material),
  };
}

function digestOf({ settings, ...conditions }: Conditions): string {
  const sorted = Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1));
  const { experiment, module, strategy, balance } = conditions;
  const content = JSON.stringify([experiment, module, strategy, balance, sorted]);
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

/**
 * In what a record was measured otherwise than the protocol now says, as `epochs: 20 there, 30 now`. An option that a record
 * lacks came later, and had the default's effect.
 */
export function recordDifferences(record: StudyRecord, run: StudyRun): string[] {
  const now = conditionsOf(run);
  if (record.digest === digestOf(now)) return [];
  const specs = settingSpecs(run.setting.experiment);
  const names = new Set([...Object.keys(record.settings), ...Object.keys(now.settings)]);
  const there = (name: string): unknown => {
    const spec = own(specs, name);
    return own(record.settings, name) ?? (spec && 'default' in spec ? spec.default : undefined);
  };
  const pairs: [string, unknown, unknown][] = [
    ['experiment', record.experiment, now.experiment],
    ['text of the experiment', record.module, now.module],
    ['strategy', record.strategy, now.strategy],
    ['balance', record.balance, now.balance],
    ...[...names].map((name): [string, unknown, unknown] => [
      name,
      there(name),
      own(now.settings, name),
    ]),
  ];
  return pairs
    .filter(([, before, after]) => before !== after)
    .map(([name, before, after]) => `${name}: ${String(before)} there, ${String(after)} now`);
}

/** What a run that has ended leaves behind. */
export function studyRecord(
  study: string,
  run: StudyRun,
  record: RunRecord,
  { threads, memory }: { readonly threads: number | null; readonly memory: number },
): StudyRecord {
  const conditions = conditionsOf(run);
  const { result, epochs } = record;
  if (result === null || result.status === 'stopped') {
    throw new MultigradError('invalid-argument', 'A record is made of a run that has ended.');
  }
  const { status, error, backend, steps, seconds, stepTime, endedAt, conflicts } = result;
  const without = epochs.at(-1)?.without;
  return {
    ...{ format: 1, study, setting: run.setting.name, row: run.row.name },
    ...{ ...conditions, lr: run.lr, seed: run.seed, digest: digestOf(conditions), status },
    ...(error ? { error: { code: error.code, message: error.message } } : {}),
    versions: {
      multigrad: version,
      tensorflowJs,
      node: process.versions.node,
    },
    platform: `${process.platform} ${process.arch}`,
    ...{ backend, threads, epochs: epochs.length, steps, seconds: Number(seconds.toPrecision(6)) },
    stepMilliseconds: stepTime.plain === null ? null : Number(stepTime.plain.toPrecision(4)),
    ...{ peakMemory: memory, endedAt },
    curves: curvesOf(epochs),
    ...(without === undefined ? {} : { without }),
    conflicts,
    gradients: gradientCurvesOf(record.steps),
    ...(record.analysis.length === 0 ? {} : { spread: spreadCurvesOf(record.analysis) }),
  };
}

/** A record as the tables of a comparison take it. */
export function runRecordOf(record: StudyRecord): RunRecord {
  const { row, seed, lr, status, error, epochs, steps, seconds, backend, endedAt } = record;
  const stepTime = { plain: record.stepMilliseconds, observed: null };
  return {
    ...{ strategy: row, seed, lr, steps: [], analysis: [], gaps: [] },
    epochs: epochsOf(record.curves, record.epochs, steps, record.without),
    result: {
      ...{
        status,
        epochs,
        steps,
        stepTime,
        conflicts: record.conflicts,
        seconds,
        backend,
        endedAt,
      },
      ...(error === undefined ? {} : { error }),
      lines: { epochs, steps: 0, analysis: 0 },
    },
  };
}

/** Where the record of a run is, below the folder of records. */
export function recordPath(folder: string, { setting, row, lr, seed }: StudyRun): string {
  return join(folder, setting.name, `${row.name}-lr${lr}-seed${seed}.json`);
}

/** The largest record that is read, in bytes. */
const mostBytes = 2 ** 22;

/**
 * Reads the record of a run.
 *
 * @returns null where there is none
 * @throws MultigradError `io`; `invalid-data` where it is damaged, `unsupported` for another format
 */
export async function readRecord(path: string, files: Files): Promise<StudyRecord | null> {
  const value = (await readJson(path, files)) as { readonly format?: unknown } | null | undefined;
  if (value === undefined) return null;
  if (value?.format !== 1) {
    throw new MultigradError('unsupported', `${path} is not a record of format 1.`);
  }
  assertShape(value, recordShape, path);
  return value as unknown as StudyRecord;
}

/** What a file of JSON holds; undefined where there is none. @throws MultigradError `io`, `invalid-data` */
export async function readJson(path: string, files: Files): Promise<unknown> {
  let content: string;
  try {
    content = new TextDecoder().decode(await readPlainFile(files, path, mostBytes));
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw ioError(`read ${path}`, cause);
  }
  try {
    return JSON.parse(content);
  } catch (cause) {
    throw new MultigradError('invalid-data', `${path} is not JSON: ${String(cause)}`, { cause });
  }
}

/** Writes the record of a run whole, or not at all. @throws MultigradError `io` */
export async function writeRecord(
  folder: string,
  run: StudyRun,
  record: StudyRecord,
  files: Files,
): Promise<void> {
  const path = recordPath(folder, run);
  try {
    await makeFolders(files, join(folder, run.setting.name));
    await replaceDurably(files, path, `${JSON.stringify(record)}\n`);
  } catch (cause) {
    throw ioError(`write ${path}`, cause);
  }
}
