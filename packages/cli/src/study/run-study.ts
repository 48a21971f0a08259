import { dirname, join } from 'node:path';
import { type Files, makeFolders, nodeFiles, removeTree, takeLock } from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError } from '@multigrad/core/support';
import { formatDuration } from '@multigrad/callbacks/terminal';
import { analyzed } from '../analysis/inspector.ts';
import type { Progress } from '../progress/progress.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import { openOutputFolder } from '../runs/output-folder.ts';
import { readRuns } from '../runs/read-folder.ts';
import type { RunRecord } from '../runs/records.ts';
import { runNames } from '../runs/run-names.ts';
import type { Environment } from '../shared/environment.ts';
import { peakMemory, resetPeakMemory } from '../shared/peak-memory.ts';
import { formatCount } from '../shared/wording.ts';
import { type Machine, startMachine } from '../training/machine.ts';
import { solo } from '../training/ranks/solo.ts';
import { trainRuns } from '../training/train-runs.ts';
import { openRuns, studyState, type StudyState, timeLeft } from './plan.ts';
import {
  readRecord,
  recordDifferences,
  recordPath,
  studyRecord,
  type StudyRun,
  writeRecord,
} from './study-record.ts';
import { configOf, type Study } from './study.ts';

/** How a sitting of a study is run. */
export interface Sitting {
  readonly backend: string;
  /** Threads of the backend; null for its own choice. */
  readonly threads: number | null;
  /** No run begins after so many minutes; null for no limit. */
  readonly maxMinutes: number | null;
  /** Processes that run the study together; for the estimate of the time that is left. */
  readonly workers: number;
}

/** What a sitting did. */
export interface SittingResult {
  readonly state: StudyState;
  /** Runs that ended otherwise than by their own figures, a sentence each; they are open still. */
  readonly failures: readonly string[];
}

/** Where unfinished runs keep their checkpoints: a folder of the protocol's. */
export function workFolder({ file, name }: Study): string {
  return join(dirname(file), `.${name}-unfinished`);
}

/** What names a run in messages. */
export function runLabel({ setting, row, lr, seed }: StudyRun): string {
  return `${setting.name}, ${row.name}, learning rate ${lr}, seed ${seed}`;
}

/**
 * Makes the runs that a study lacks, one after the other, until none is left, the time is up or the user interrupts. Other
 * processes may do the same at once: each run is claimed by one of them.
 *
 * @throws MultigradError where records cannot be read or written, or a setting cannot be run
 */
export async function runStudy(
  study: Study,
  sitting: Sitting,
  environment: Environment,
): Promise<SittingResult> {
  const { files = nodeFiles, signal, print } = environment;
  const ends = sitting.maxMinutes === null ? Infinity : Date.now() + 60_000 * sitting.maxMinutes;
  const failures: string[] = [];
  const taken = new Set<string>();
  let machine: Machine | null = null;
  try {
    for (;;) {
      const state = await studyState(study, files);
      if (signal.aborted || Date.now() >= ends) return { state, failures };
      const claim = await claimNext(study, state, taken, files);
      if (claim === null) return { state, failures };
      const { run, release } = claim;
      taken.add(recordPath('', run));
      try {
        if (machine === null) {
          const threads = sitting.threads === null ? {} : { threads: sitting.threads };
          machine = await startMachine(sitting.backend, environment, threads);
          print(`Backend: ${machine.backend.name} (${machine.backend.reason})`);
          machine.progress.begin(state.left);
        }
        machine.progress.note(`${runLabel(run)} (${progressText(state, sitting.workers)})`);
        const failure = await makeRun(study, run, sitting, machine, environment);
        if (failure !== null) failures.push(`${runLabel(run)}: ${failure}`);
      } finally {
        await release();
      }
    }
  } finally {
    machine?.progress.end();
  }
}

/** `34 of 168 runs done, about 5 h 12 min left`. */
export function progressText(state: StudyState, workers: number): string {
  const { seconds, unknown } = timeLeft(state);
  const done = `${state.done} of ${formatCount(state.done + state.left, 'run')} done`;
  if (state.left === 0) return done;
  const about = formatDuration(seconds / workers);
  if (unknown === 0) return `${done}, about ${about} left`;
  if (unknown === state.left) return `${done}, time left not known yet`;
  return `${done}, about ${about} left and ${formatCount(unknown, 'run')} of unknown length`;
}

/** @throws MultigradError where what is left cannot be run as it is asked for */
export function assertRunnable({ rows }: StudyState): void {
  for (const { setting, open, later } of rows) {
    if (open.length + later === 0) continue;
    const { name, missingPaths } = setting;
    if (missingPaths.length > 0) {
      throw new MultigradError(
        'invalid-option',
        `The setting \`${name}\` needs folders of this machine: ` +
          missingPaths.map((path) => `--path ${path}=FOLDER`).join(' '),
      );
    }
  }
}

interface Claim {
  readonly run: StudyRun;
  readonly release: () => Promise<void>;
}

/** Claims the first open run that no process has claimed; null where there is none. */
async function claimNext(
  study: Study,
  state: StudyState,
  taken: ReadonlySet<string>,
  files: Files,
): Promise<Claim | null> {
  const locks = join(workFolder(study), 'locks');
  for (const run of openRuns(state)) {
    // What failed in this sitting is not tried in it again.
    if (taken.has(recordPath('', run))) continue;
    try {
      await makeFolders(files, locks);
    } catch (cause) {
      throw ioError(`write to ${locks}`, cause);
    }
    const attempt = await takeLock(files, join(locks, lockName(run)), new Date());
    if (attempt.holder !== null) continue;
    // Another process may have made it since the records were read.
    const record = await readRecord(recordPath(study.records, run), files);
    if (record === null || recordDifferences(record, run).length > 0) {
      return { run, release: attempt.release };
    }
    await attempt.release();
  }
  return null;
}

function lockName(run: StudyRun): string {
  return recordPath('', run).replaceAll(/[\\/]/g, '-');
}

/** Makes a run, from its newest checkpoint on where there is one, and writes its record. @returns why there is no record */
async function makeRun(
  study: Study,
  run: StudyRun,
  sitting: Sitting,
  machine: Machine,
  environment: Environment,
): Promise<string | null> {
  const { files = nodeFiles, signal } = environment;
  const { setting, row, seed, lr } = run;
  const folder = join(workFolder(study), lockName(run).replace(/\.json$/, ''));
  const plain = configOf(setting, row, seed, lr, folder);
  const inspected = setting.inspect !== null && row.name === study.references[0];
  const config = inspected ? withInspection(plain, setting.inspect) : plain;
  const experiment = inspected ? analyzed(setting.experiment) : setting.experiment;
  resetPeakMemory();
  const opened = await openForRun(folder, config, files);
  let made: RunRecord | undefined;
  try {
    await trainRuns({ config, experiment, strategies: [row.strategy] }, runNames(config), {
      ...{ folder, files, tensorboard: false, compile: true, ranks: solo, signal },
      progress: ofOneRun(machine.progress),
      backend: machine.backend.name,
      lostThreads: machine.lostThreads.reasons,
    });
    [made] = await readRuns(folder, config, files);
  } finally {
    await opened.release();
  }
  const result = made?.result ?? null;
  if (made === undefined || result === null || result.status === 'stopped') return null;
  // What no figure of the run's own explains may go well another time: a full disk, a lost device.
  if (result.status === 'failed' && result.error?.code !== 'non-finite') {
    return result.error?.message ?? 'no reason was recorded.';
  }
  const record = studyRecord(study.name, run, made, {
    threads: sitting.threads,
    memory: peakMemory(),
  });
  await writeRecord(study.records, run, record, files);
  await removeTree(files, folder);
  return null;
}

/** The configuration of a run whose gradients are looked at between epochs, and not its loss landscape. */
function withInspection(config: ComparisonConfig, batches: number): ComparisonConfig {
  const analysis = { batches, grid: 0, 'landscape-size': 1 };
  return { ...config, command: 'analyze', settings: { ...config.settings, ...analysis } };
}

/** Opens the folder of a run; what an earlier protocol left there is replaced. */
async function openForRun(
  folder: string,
  config: ReturnType<typeof configOf>,
  files: Files,
): ReturnType<typeof openOutputFolder> {
  try {
    return await openOutputFolder(folder, config, false, files);
  } catch (error) {
    if (!MultigradError.isInstance(error) || error.code !== 'io') throw error;
    return openOutputFolder(folder, config, true, files);
  }
}

/** The progress of one run: a study begins and ends it for all of them. */
function ofOneRun(progress: Progress): Progress {
  return { ...progress, begin: () => undefined, end: () => undefined };
}
