import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MultigradError, ioError, isMissing } from '@multigrad/core/strategy';
import { type ComparisonConfig, configDifferences, extendsConfig, mergeConfigs } from './config.ts';
import type { AnalysisRecord } from './analysis-records.ts';
import { lockFile, lockFolder } from './folder-lock.ts';
import type { EpochRecord, RunRecord, RunResult, StepRecord } from './records.ts';
import { runNames } from './run-names.ts';

const configFile = 'config.json';
/** Every file of a run's folder that is read. */
export const runFiles = ['epochs.jsonl', 'steps.jsonl', 'analysis.jsonl', 'result.json'] as const;
const runsFolder = 'runs';
/** Tables that `multigrad analyze` writes beside. */
export const analysisFiles = ['cosines.csv', 'gradients.csv', 'landscape.csv'] as const;
/** What this program writes into an output folder, and all that `--force` removes. */
const ownFiles = [configFile, runsFolder, 'table.csv', 'table.md', 'report.html', ...analysisFiles];

/** Writes a file whole or not at all: a crash leaves the old one. */
export function writeWhole(path: string, text: string): void {
  const temporary = `${path}.part`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (cause) {
    throw ioError(`write ${path}`, cause);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw ioError(`read ${path}`, cause);
  }
}

function parseJson(text: string, where: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MultigradError('invalid-data', `${where} is not JSON: ${String(cause)}`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new MultigradError('invalid-data', `${where} should hold a JSON object. Found ${text.slice(0, 60)}.`);
}

/**
 * The objects of a file of JSON lines; none where there is no file. A last line without its end was being written when
 * the program died and is left out.
 */
function readLines(path: string): object[] {
  if (!existsSync(path)) return [];
  const lines = readText(path).split('\n');
  return lines.slice(0, -1).map((line, index) => parseJson(line, `${path}, line ${index + 1},`));
}

/**
 * Reads the configuration of an output folder.
 *
 * @throws MultigradError `io` where there is none, `invalid-data` where it is of another kind or version
 */
export function readConfig(folder: string): ComparisonConfig {
  const path = join(folder, configFile);
  if (!existsSync(path)) {
    throw new MultigradError(
      'io',
      `${folder} holds no results: there is no ${configFile} in it. Name a folder that \`multigrad compare\` or \`multigrad train\` wrote.`,
    );
  }
  const config = parseJson(readText(path), path) as Partial<ComparisonConfig>;
  const known =
    config.format === 1 &&
    typeof config.recipe === 'string' &&
    Array.isArray(config.strategies) &&
    Array.isArray(config.seeds) &&
    typeof config.settings === 'object';
  if (known) return config as ComparisonConfig;
  throw new MultigradError('invalid-data', `${path} is not a configuration of format 1, which this version of multigrad reads.`);
}

/** Reads every run of an output folder, as far as it got, in the order of the configuration. */
export function readRuns(folder: string, config: ComparisonConfig): RunRecord[] {
  return runNames(config).flatMap(({ strategy, seed, lr, name }) => {
    const path = join(folder, runsFolder, name);
    if (!existsSync(path)) return [];
    const resultPath = join(path, 'result.json');
    return [
      {
        strategy,
        seed,
        lr,
        epochs: readLines(join(path, 'epochs.jsonl')) as EpochRecord[],
        steps: readLines(join(path, 'steps.jsonl')) as StepRecord[],
        analysis: readLines(join(path, 'analysis.jsonl')) as AnalysisRecord[],
        result: existsSync(resultPath) ? (parseJson(readText(resultPath), resultPath) as RunResult) : null,
      },
    ];
  });
}

function entriesOf(folder: string): string[] | null {
  try {
    if (!statSync(folder).isDirectory()) {
      throw new MultigradError('io', `The output folder ${folder} is a file. Choose another with --out.`);
    }
    return readdirSync(folder);
  } catch (cause) {
    if (MultigradError.isInstance(cause)) throw cause;
    if (isMissing(cause)) return null;
    throw ioError(`use the output folder ${folder}`, cause);
  }
}

/** An output folder that no other program writes. */
export interface OpenFolder {
  /** What it held, and what is added. */
  readonly config: ComparisonConfig;
  /** Gives it back. */
  readonly release: () => void;
}

/**
 * Makes an output folder ready before any training: creates it, or takes up one of the same configuration again, to
 * which further strategies and seeds may be added.
 *
 * @returns the configuration that the folder has now; the folder belongs to this process until it is given back
 * @param force - remove the results that the folder holds, whatever their configuration; other files stay
 * @throws MultigradError `io` where it cannot be written, holds files of somebody else, or results of another
 * configuration (the differences are named), or is being written by another process
 */
export function openOutputFolder(folder: string, config: ComparisonConfig, force: boolean): OpenFolder {
  const passing = (name: string): boolean => name.endsWith('.part') || name === lockFile;
  const entries = entriesOf(folder)?.filter((name) => !passing(name)) ?? [];
  if (entries.length > 0 && !entries.includes(configFile)) {
    throw new MultigradError(
      'io',
      `The output folder ${folder} is not empty and holds no results of multigrad (found ${entries.slice(0, 3).join(', ')}` +
        `${entries.length > 3 ? ', …' : ''}). Choose another with --out.`,
    );
  }
  if (entries.length > 0 && !force) {
    const before = readConfig(folder);
    if (extendsConfig(before, config)) {
      const merged = mergeConfigs(before, config);
      return claimed(folder, merged, () => {
        if (configDifferences(before, merged).length > 0) writeConfig(folder, merged);
      });
    }
    const { strategies, seeds } = config;
    const differences = configDifferences({ ...before, strategies, seeds }, config);
    throw new MultigradError(
      'io',
      `The output folder ${folder} holds results of another configuration:\n` +
        `${differences.map((difference) => `  ${difference}`).join('\n')}\n` +
        'Choose another with --out, or replace these results with --force.',
    );
  }
  return claimed(folder, config, () => {
    try {
      if (force) for (const name of ownFiles) rmSync(join(folder, name), { recursive: true, force: true });
      mkdirSync(join(folder, runsFolder), { recursive: true });
    } catch (cause) {
      throw ioError(`write to the output folder ${folder}`, cause);
    }
    writeConfig(folder, config);
  });
}

/** Changes a folder once it belongs to this process alone. */
function claimed(folder: string, config: ComparisonConfig, change: () => void): OpenFolder {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw ioError(`write to the output folder ${folder}`, cause);
  }
  const release = lockFolder(folder, new Date());
  try {
    change();
  } catch (error) {
    release();
    throw error;
  }
  return { config, release };
}

function writeConfig(folder: string, config: ComparisonConfig): void {
  writeWhole(join(folder, configFile), `${JSON.stringify(config, null, 2)}\n`);
}

/** Takes down one run as it goes: each line is on disk before the next step begins. */
export interface RunWriter {
  /** Begins with what was written of so many steps and epochs, and leaves out what came after. */
  keep(done: { readonly steps: number; readonly epochs: number }): void;
  epoch(record: EpochRecord): void;
  step(record: StepRecord): void;
  analysis(record: AnalysisRecord): void;
  /** Marks the end of the run; without it the run counts as cut off. */
  end(result: RunResult): void;
}

/** The folder of one run. */
export function runFolder(folder: string, name: string): string {
  return join(folder, runsFolder, name);
}

/** Where the checkpoints of a run are. */
export function checkpointsFolder(folder: string, name: string): string {
  return join(runFolder(folder, name), 'checkpoints');
}

/** Opens one run's folder, with what an earlier attempt left there; until `keep` is called nothing is written. */
export function openRun(folder: string, name: string): RunWriter {
  const path = runFolder(folder, name);
  const inFolder = <T>(what: string, action: () => T): T => {
    try {
      return action();
    } catch (cause) {
      if (MultigradError.isInstance(cause)) throw cause;
      throw ioError(what, cause);
    }
  };
  inFolder(`write to ${path}`, () => {
    mkdirSync(path, { recursive: true });
    rmSync(join(path, 'result.json'), { force: true });
  });
  const append = (file: string, record: object): void =>
    inFolder(`write ${join(path, file)}`, () => appendFileSync(join(path, file), `${JSON.stringify(record)}\n`));
  const prune = (file: string, stays: (record: never) => boolean): void => {
    if (!existsSync(join(path, file))) return;
    const lines = readLines(join(path, file)).filter((record) => stays(record as never));
    writeWhole(join(path, file), lines.map((record) => `${JSON.stringify(record)}\n`).join(''));
  };
  return {
    keep: ({ steps, epochs }) => {
      prune('steps.jsonl', ({ step }: StepRecord) => step < steps);
      prune('epochs.jsonl', ({ epoch }: EpochRecord) => epoch <= epochs);
      // What is looked at after the last epoch bears no number.
      prune('analysis.jsonl', (seen: AnalysisRecord) => 'epoch' in seen && seen.epoch <= epochs);
    },
    epoch: (record) => append('epochs.jsonl', record),
    step: (record) => append('steps.jsonl', record),
    analysis: (record) => append('analysis.jsonl', record),
    end: (result) => writeWhole(join(path, 'result.json'), `${JSON.stringify(result, null, 2)}\n`),
  };
}

/** Opens one run's folder without anything of an earlier attempt. */
export function beginRun(folder: string, name: string): RunWriter {
  rmSync(join(folder, runsFolder, name), { recursive: true, force: true });
  return openRun(folder, name);
}
