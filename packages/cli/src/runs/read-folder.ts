import { join } from 'node:path';
import { type Files, nodeFiles, readPlainFile } from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError, isMissing } from '@multigrad/core/support';
import type { AnalysisRecord } from './analysis-records.ts';
import { checkConfig, type ComparisonConfig } from './config.ts';
import { configFile, runFolder } from './folder-layout.ts';
import { readRecords } from './record-file.ts';
import { lineShapes, resultShape } from './record-shapes.ts';
import type { EpochRecord, LineCounts, RunRecord, RunResult, StepRecord } from './records.ts';
import { type RunName, runNames } from './run-names.ts';
import { gapIn } from './run-writer.ts';
import { assertShape } from './shape.ts';

/** The longest `config.json` or `result.json` that is read, in bytes: 64 MiB. */
const mostBytes = 2 ** 26;

/** A file of one JSON object; null where there is none. */
async function readObject(files: Files, path: string): Promise<object | null> {
  let text: string;
  try {
    text = new TextDecoder().decode(await readPlainFile(files, path, mostBytes));
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw ioError(`read ${path}`, cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MultigradError('invalid-data', `${path} is not JSON: ${String(cause)}`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new MultigradError(
    'invalid-data',
    `${path} should hold a JSON object. Found ${text.slice(0, 60)}.`,
  );
}

/**
 * Reads the configuration of an output folder.
 *
 * @returns null where there is none
 * @throws MultigradError `io`; `invalid-data` where it is damaged, `unsupported` for another format
 */
export async function findConfig(folder: string, files: Files): Promise<ComparisonConfig | null> {
  const path = join(folder, configFile);
  const config = await readObject(files, path);
  return config === null ? null : checkConfig(config, path);
}

/**
 * Reads the configuration of an output folder.
 *
 * @throws MultigradError `io` where there is none, else as `findConfig`
 */
export async function readConfig(
  folder: string,
  files: Files = nodeFiles,
): Promise<ComparisonConfig> {
  const config = await findConfig(folder, files);
  if (config === null) throw noConfig(folder);
  return config;
}

/** The error for a folder without a configuration. */
export function noConfig(folder: string): MultigradError {
  return new MultigradError(
    'io',
    `${folder} holds no results: there is no ${configFile} in it. Name a folder that \`multigrad compare\` or \`multigrad train\` wrote.`,
  );
}

/** How a run ended; null where the program died before it could write that down. */
export async function readResult(
  folder: string,
  name: string,
  files: Files,
): Promise<RunResult | null> {
  const path = join(runFolder(folder, name), 'result.json');
  const result = await readObject(files, path);
  if (result !== null) assertShape(result, resultShape, path);
  return result as RunResult | null;
}

/** Reads every run of an output folder, as far as it got, in the order of the configuration. */
export async function readRuns(
  folder: string,
  config: ComparisonConfig,
  files: Files = nodeFiles,
): Promise<RunRecord[]> {
  const runs: RunRecord[] = [];
  for (const run of runNames(config)) {
    const record = await readRun(folder, run, files);
    if (record !== null) runs.push(record);
  }
  return runs;
}

/** One run; null where it has no folder yet. */
async function readRun(
  folder: string,
  { strategy, seed, lr, name }: RunName,
  files: Files,
): Promise<RunRecord | null> {
  const own = runFolder(folder, name);
  try {
    await files.look(own);
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw ioError(`read ${own}`, cause);
  }
  const result = await readResult(folder, name, files);
  const gaps: string[] = [];
  const read = async (kind: keyof LineCounts): Promise<readonly object[]> => {
    const expected = result?.lines[kind];
    const path = join(own, `${kind}.jsonl`);
    const { records, count, missing } = await readRecords(files, path, expected);
    records.forEach((record, index) =>
      assertShape(record, lineShapes[kind], `${path}, line ${index + 1},`),
    );
    if (missing !== '') gaps.push(gapIn(kind, count, missing));
    return records;
  };
  return {
    ...{ strategy, seed, lr, result, gaps },
    epochs: (await read('epochs')) as EpochRecord[],
    steps: (await read('steps')) as StepRecord[],
    analysis: (await read('analysis')) as AnalysisRecord[],
  };
}
