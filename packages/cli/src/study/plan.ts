import type { Files } from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { selectRate } from '../results/selection.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import { median } from '../shared/statistics.ts';
import { type PeerRecord, readPeerRecords } from './peer-records.ts';
import {
  readRecord,
  recordDifferences,
  recordPath,
  runRecordOf,
  type StudyRecord,
  type StudyRun,
} from './study-record.ts';
import { configOf, type Study, type StudyRow, type StudySetting } from './study.ts';

/** How far a row of a setting is. */
export interface RowState {
  readonly setting: StudySetting;
  readonly row: StudyRow;
  /** Records with the first seed at each rate, as far as they are there. */
  readonly tried: readonly StudyRecord[];
  /**
   * The rate that validates best; null while a rate is untried, or where no run was finished at any.
   */
  readonly rate: number | null;
  /** Whether every rate was tried, and no run was finished. */
  readonly hopeless: boolean;
  /** Records at the chosen rate, by ascending seed. */
  readonly chosen: readonly StudyRecord[];
  /** Those of the setting's peer for this row at that rate. */
  readonly peers: readonly PeerRecord[];
  /** Runs that can be made now. */
  readonly open: readonly StudyRun[];
  /** Runs that can be made once a rate is chosen. */
  readonly later: number;
}

/** A record that was measured otherwise than the protocol now says. */
export interface ChangedRecord {
  readonly path: string;
  readonly differences: readonly string[];
}

/** How far a study is. */
export interface StudyState {
  readonly rows: readonly RowState[];
  /** Records of another protocol; their runs count as open. */
  readonly changed: readonly ChangedRecord[];
  readonly done: number;
  readonly left: number;
}

/** Reads all records of a study and sees what is left. @throws MultigradError as {@link readRecord} */
export async function studyState(study: Study, files: Files): Promise<StudyState> {
  const changed: ChangedRecord[] = [];
  const find = async (run: StudyRun): Promise<StudyRecord | null> => {
    const path = recordPath(study.records, run);
    const record = await readRecord(path, files);
    if (record === null) return null;
    const differences = recordDifferences(record, run);
    if (differences.length === 0) return record;
    if (!changed.some((one) => one.path === path)) changed.push({ path, differences });
    return null;
  };
  const rows: RowState[] = [];
  for (const setting of study.settings) {
    const { peer } = setting;
    const peers = peer === null ? [] : await readPeerRecords(peer.records, files);
    for (const row of setting.rows) {
      const state = await rowState(setting, row, find);
      rows.push({
        ...state,
        peers: peers.filter((one) => one.row === row.name && one.lr === state.rate),
      });
    }
  }
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    rows,
    changed,
    done: sum(
      rows.map(
        ({ tried, chosen }) => tried.length + chosen.filter((one) => !tried.includes(one)).length,
      ),
    ),
    left: sum(rows.map(({ open, later }) => open.length + later)),
  };
}

async function rowState(
  setting: StudySetting,
  row: StudyRow,
  find: (run: StudyRun) => Promise<StudyRecord | null>,
): Promise<Omit<RowState, 'peers'>> {
  const [first, ...others] = setting.seeds as [number, ...number[]];
  const tried: StudyRecord[] = [];
  const untried: StudyRun[] = [];
  for (const lr of row.rates) {
    const run = { setting, row, lr, seed: first };
    const record = await find(run);
    if (record === null) untried.push(run);
    else tried.push(record);
  }
  const state = { setting, row, tried };
  if (untried.length > 0) {
    return {
      ...state,
      rate: null,
      hopeless: false,
      chosen: [],
      open: untried,
      later: others.length,
    };
  }
  const rate = chosenRate(setting, row, tried);
  if (rate === null) {
    return { ...state, rate, hopeless: true, chosen: [], open: [], later: 0 };
  }
  const chosen = tried.filter(({ lr }) => lr === rate);
  const open: StudyRun[] = [];
  for (const seed of others) {
    const run = { setting, row, lr: rate, seed };
    const record = await find(run);
    if (record === null) open.push(run);
    else chosen.push(record);
  }
  return { ...state, rate, hopeless: false, chosen, open, later: 0 };
}

/** The configuration that stands for all rates of a row, for the selection of one of them. */
export function sweepOf(setting: StudySetting, row: StudyRow): ComparisonConfig {
  const config = configOf(setting, row, setting.seeds[0]!, row.rates[0]!, '.');
  return { ...config, settings: { ...config.settings, lr: row.rates.join(',') } };
}

/** The rate that validates best; null where no run was finished. */
function chosenRate(
  setting: StudySetting,
  row: StudyRow,
  tried: readonly StudyRecord[],
): number | null {
  const finished = tried.filter(({ status }) => status === 'finished');
  if (finished.length === 0) return null;
  if (tried.length > 1 && finished.some(({ curves }) => curves.validation === undefined)) {
    throw new MultigradError(
      'unsupported',
      `${setting.name}: of several learning rates the one that validates best is chosen, and the experiment ` +
        `\`${setting.experiment.name}\` has no validation set. Give it one with \`validation-size\`, or one rate.`,
    );
  }
  return selectRate(finished.map(runRecordOf), sweepOf(setting, row));
}

/**
 * The runs that can be made now, in the order in which they should be: setting after setting, every rate of every row first,
 * then seed after seed, so that after an interruption all rows have the same seeds.
 */
export function openRuns({ rows }: StudyState): StudyRun[] {
  const settings = [...new Set(rows.map(({ setting }) => setting))];
  return settings.flatMap((setting) => {
    const open = rows.filter((row) => row.setting === setting).flatMap((row) => row.open);
    const tuning = open.filter(({ seed }) => seed === setting.seeds[0]);
    const rest = open.filter(({ seed }) => seed !== setting.seeds[0]);
    return [...tuning, ...rest.sort((a, b) => a.seed - b.seed)];
  });
}

/** How long what is left will take. */
export interface Estimate {
  /** Seconds of one process, as far as they can be told. */
  readonly seconds: number;
  /** Runs of which nothing can be told: no run of their setting has a record. */
  readonly unknown: number;
}

/** Estimates the time of what is left from the records: a row's median, else its setting's. */
export function timeLeft({ rows }: StudyState): Estimate {
  let [seconds, unknown] = [0, 0];
  for (const { setting, open, later, tried, chosen } of rows) {
    const left = open.length + later;
    const own = [...tried, ...chosen];
    const ofSetting = rows
      .filter((row) => row.setting === setting)
      .flatMap((row) => [...row.tried, ...row.chosen]);
    const known = (own.length > 0 ? own : ofSetting).map((record) => record.seconds);
    if (known.length === 0) unknown += left;
    else seconds += left * median(known);
  }
  return { seconds, unknown };
}
