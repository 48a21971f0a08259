import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { MultigradError, own } from '@multigrad/core/strategy';
import { ioError } from '@multigrad/core/support';
import type { Experiment } from '@multigrad/experiment';
import { findExperiment, requireExperiment } from '../experiments/index.ts';
import {
  loadExperiment,
  moduleOf,
  type OutsideExperiment,
} from '../experiments/load-experiment.ts';
import { defaultPreset, resolveSettings, settingSpecs } from '../experiments/settings.ts';
import { type ComparisonConfig, titled } from '../runs/config.ts';
import { runLabel } from '../runs/run-label.ts';
import type { Settings } from '../runs/settings.ts';
import { importModule } from '../shared/import-module.ts';
import { pathToFileURL } from 'node:url';
import { version } from '../shared/version.ts';
import { chooseStrategies, type ChosenStrategy, outsideTitles } from '../strategies/catalog.ts';
import { strategyTitles } from '../strategies/strategy-titles.ts';
import { checkNames, checkProtocol, type Protocol, type ProtocolSetting } from './protocol.ts';

/** A row as a setting runs it. */
export interface StudyRow {
  readonly name: string;
  readonly title: string;
  readonly strategy: ChosenStrategy;
  /** Specifier of the balancing method; null for none. */
  readonly balance: string | null;
  /** Learning rates that are tried. */
  readonly rates: readonly number[];
}

/** A setting with its experiment found and every option resolved. */
export interface StudySetting {
  readonly name: string;
  readonly experiment: Experiment;
  readonly outside: OutsideExperiment | null;
  /** All options but the learning rate. */
  readonly settings: Settings;
  /** Folders that the user has to name before it can be run, as `<setting>.<option>`. */
  readonly missingPaths: readonly string[];
  readonly seeds: readonly number[];
  readonly rows: readonly StudyRow[];
  /** Batches over which gradients of the first reference are compared at fixed weights; null for none. */
  readonly inspect: number | null;
  /** Another program that makes the same runs, and the folder of its records; null for none. */
  readonly peer: { readonly title: string; readonly records: string } | null;
}

/** A study, ready to be run. */
export interface Study {
  readonly name: string;
  /** The protocol's file. */
  readonly file: string;
  /** Folder of the records. */
  readonly records: string;
  /** Names of the rows that others are compared with. */
  readonly references: readonly string[];
  readonly settings: readonly StudySetting[];
}

/** What a user asks of a study beside its protocol. */
export interface StudyRequest {
  /** Names of the settings that are run; null for all. */
  readonly only: readonly string[] | null;
  /** Names of the rows that are run; null for all. */
  readonly rows: readonly string[] | null;
  /** Folders of this machine by `<setting>.<option>`. */
  readonly paths: Readonly<Record<string, string>>;
  /** Name of the backend, or `auto`. */
  readonly backend: string;
}

/**
 * Reads a protocol and makes all that it names ready: experiments, their options, strategies.
 *
 * @throws MultigradError `io` where it cannot be read, `invalid-data` or `invalid-option` naming what is wrong in it, and
 *   what experiments, options and strategies throw
 */
export async function openStudy(
  given: string,
  request: StudyRequest,
  folder: string,
): Promise<Study> {
  const file = resolve(folder, given);
  const protocol = checkProtocol(await readProtocol(file), given);
  const names = Object.keys(protocol.settings);
  if (request.only !== null) checkNames(request.only, names, '--only', 'setting');
  if (request.rows !== null) checkNames(request.rows, Object.keys(protocol.rows), '--rows', 'row');
  const settings: StudySetting[] = [];
  for (const name of names) {
    if (request.only !== null && !request.only.includes(name)) continue;
    settings.push(await openSetting(name, protocol, request, dirname(file), given));
  }
  assertPathsUsed(request.paths, protocol);
  return {
    name: protocol.name,
    file,
    records: resolve(dirname(file), protocol.records),
    references: protocol.references,
    settings,
  };
}

/** What a protocol's file holds: JSON, or the export `protocol` of a module. */
async function readProtocol(file: string): Promise<unknown> {
  if (extname(file) !== '.json') {
    let exports: Readonly<Record<string, unknown>>;
    try {
      exports = await importModule(pathToFileURL(file).href);
    } catch (cause) {
      throw new MultigradError('invalid-data', `${file} does not load: ${String(cause)}`, {
        cause,
      });
    }
    return exports['protocol'] ?? exports['default'];
  }
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (cause) {
    throw ioError(`read ${file}`, cause);
  }
  try {
    return JSON.parse(content);
  } catch (cause) {
    throw new MultigradError('invalid-data', `${file} is not JSON: ${String(cause)}`, { cause });
  }
}

async function openSetting(
  name: string,
  protocol: Protocol,
  request: StudyRequest,
  folder: string,
  given: string,
): Promise<StudySetting> {
  const asked = own(protocol.settings, name)!;
  const where = `${basename(given)}: settings.${name}`;
  const builtin = findExperiment(asked.experiment);
  const outside = builtin === undefined ? await loadExperiment(asked.experiment, folder) : null;
  const experiment = builtin ?? outside?.experiment ?? requireExperiment(asked.experiment);
  const settings = settingsOf(name, experiment, asked, request, folder, where);
  const rowNames = (asked.rows ?? Object.keys(protocol.rows)).filter(
    (row) => request.rows === null || request.rows.includes(row),
  );
  const rows = rowNames.map((row) => [row, own(protocol.rows, row)!] as const);
  const specifiers = rows.map(([, { strategy, balance = null }]) =>
    runLabel({ strategy, balance }),
  );
  const strategies = await chooseStrategies(experiment, specifiers, folder);
  const titles = strategyTitles(experiment, specifiers, outsideTitles(experiment, strategies));
  const rates = asked.rates ?? protocol.rates;
  const { 'validation-size': validation } = settings;
  if (
    rates.length > 1 &&
    validation === 0 &&
    Object.hasOwn(experiment.settings, 'validation-size')
  ) {
    throw new MultigradError(
      'invalid-option',
      `${where}: of several learning rates the one that validates best is chosen, which takes \`validation-size\` > 0. Found 0.`,
    );
  }
  return {
    name,
    experiment,
    outside,
    settings,
    missingPaths: (asked.paths ?? [])
      .map((option) => `${name}.${option}`)
      .filter((path) => own(request.paths, path) === undefined),
    inspect: asked.inspect ?? null,
    peer:
      asked.peer === undefined
        ? null
        : { ...asked.peer, records: resolve(folder, asked.peer.records) },
    seeds: Array.from({ length: asked.seeds ?? protocol.seeds }, (_, seed) => seed),
    rows: rows.map(([row, { title, balance, rateFactor = 1 }], index) => ({
      name: row,
      title: title ?? titles.get(specifiers[index]!)!,
      strategy: strategies[index]!,
      balance: balance ?? null,
      // 0.03, not 0.030000000000000002.
      rates: rates.map((rate) => Number((rate * rateFactor).toPrecision(6))),
    })),
  };
}

/** Stands for a folder that the user has not named; nothing is run with it. */
const notGiven = '(not given)';

function settingsOf(
  name: string,
  experiment: Experiment,
  { preset, options = {}, paths = [] }: ProtocolSetting,
  request: StudyRequest,
  folder: string,
  where: string,
): Settings {
  for (const fixed of ['lr', 'backend']) {
    if (!Object.hasOwn(options, fixed)) continue;
    throw new MultigradError(
      'invalid-option',
      `${where}: \`options\` should not have \`${fixed}\`: ${fixed === 'lr' ? '`rates` has the learning rates' : 'it is named by --backend'}.`,
    );
  }
  if (preset !== undefined) checkNames([preset], Object.keys(experiment.presets), where, 'preset');
  const specs = settingSpecs(experiment);
  const isPath = (option: string): boolean => own(specs, option)?.kind === 'path';
  checkNames(paths, Object.keys(specs).filter(isPath), `${where}: paths`, 'path');
  const texts = Object.entries(options).map(([option, value]): [string, string] => [
    option,
    isPath(option) ? resolve(folder, String(value)) : String(value),
  ]);
  const given = paths.map((option): [string, string] => [
    option,
    own(request.paths, `${name}.${option}`) ?? notGiven,
  ]);
  const resolved = resolveSettings(experiment, preset ?? defaultPreset(experiment), {
    ...Object.fromEntries(texts),
    ...Object.fromEntries(given),
    backend: request.backend,
  });
  return Object.fromEntries(Object.entries(resolved).filter(([option]) => option !== 'lr'));
}

function assertPathsUsed(paths: StudyRequest['paths'], protocol: Protocol): void {
  const known = Object.entries(protocol.settings).flatMap(([name, { paths: own = [] }]) =>
    own.map((option) => `${name}.${option}`),
  );
  checkNames(Object.keys(paths), known, '--path', 'path');
}

/** The configuration of one run of a setting, as its output folder has it. */
export function configOf(
  setting: StudySetting,
  row: StudyRow,
  seed: number,
  lr: number,
  folder: string,
): ComparisonConfig {
  const { experiment, outside, settings } = setting;
  const { strategy } = row;
  return {
    ...{ format: 1, version, command: 'train', experiment: experiment.name },
    ...{ strategies: [strategy.specifier], seeds: [seed], settings: { ...settings, lr } },
    ...titled(outsideTitles(experiment, [strategy])),
    ...moduleOf(outside, folder),
  };
}
