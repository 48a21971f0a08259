import { availableParallelism } from 'node:os';
import process from 'node:process';
import { dirname, join, relative, resolve, sep } from 'node:path';
import {
  type Files,
  makeFolders,
  nodeFiles,
  readPlainFile,
  removeIfThere,
} from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError } from '@multigrad/core/support';
import { formatDuration } from '@multigrad/callbacks/terminal';
import { Command, Option } from 'commander';
import { textTable } from '../results/table.ts';
import { writeWhole } from '../runs/output-folder.ts';
import { type Environment, interruptionOf } from '../shared/environment.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import { formatCount } from '../shared/wording.ts';
import { type StudyState, studyState } from '../study/plan.ts';
import { assertRunnable, progressText, runStudy } from '../study/run-study.ts';
import { stateTable } from '../study/state-table.ts';
import { figureKinds, figureName } from '../study/study-figures.ts';
import { fillPage, overviewName, studyBlocks, studyPictures } from '../study/study-page.ts';
import { openStudy, type Study } from '../study/study.ts';
import { runWorkers } from '../study/workers.ts';
import type { CommandContext } from './command.ts';
import { wholeNumber } from './whole-number.ts';

const notes = `
A protocol is a JSON file, or a module (.mjs, .ts) that exports \`protocol\`:
  {
    "format": 1, "name": "example", "records": "records", "seeds": 5, "rates": [0.003, 0.01, 0.03],
    "references": ["sum"],
    "rows": { "sum": { "strategy": "sum" }, "mmpareto": { "strategy": "mmpareto:gamma=1.5" } },
    "settings": { "digits": { "experiment": "cg-mnist", "options": { "epochs": 4, "schedule": "cosine" } } }
  }
Each row of each setting is run with seed 0 at every rate. The rate that validates best is run with the other seeds. A run
that has ended leaves a record, a file of a few kB below the folder \`records\`; a run whose record is there is not made again,
whoever made it. What was begun goes on from its newest checkpoint.`;

interface Written {
  readonly only?: string;
  readonly rows?: string;
  readonly path?: readonly string[];
  readonly backend: string;
  readonly workers: string;
  readonly threads?: string;
  readonly maxMinutes?: string;
  readonly dryRun?: true;
  readonly page?: string;
  readonly pictures?: string;
  readonly force?: true;
}

/** `multigrad study`: runs a protocol. */
export function studyCommand({ environment, done }: CommandContext): Command {
  return new Command()
    .argument('<file>', 'The protocol.')
    .option('--only <settings>', 'Settings to run, separated by commas. (default all)')
    .option('--rows <rows>', 'Rows to run, separated by commas. (default all)')
    .option(
      '--path <setting.option=folder>',
      'A folder of this machine that a setting needs; may be repeated.',
      (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
    )
    .addOption(
      new Option('--backend <name>', 'TensorFlow.js backend; auto takes the fastest present.')
        .choices(['auto', 'tensorflow', 'wasm', 'cpu'])
        .default('auto'),
    )
    .option('--workers <number>', 'Processes that share the runs and the cores.', '1')
    .option(
      '--threads <number>',
      'Threads of each process. (default all cores for one process, else an equal share)',
    )
    .option('--max-minutes <number>', 'Begin no run after so many minutes.')
    .option('--dry-run', 'Print what is left and how long it takes, and run nothing.')
    .option(
      '--page <file>',
      'Run nothing; write the tables into a Markdown page, between <!-- study SETTING --> and <!-- /study -->.',
    )
    .option(
      '--pictures <folder>',
      'With --page: write its pictures (SVG) into this folder, and show them on the page.',
    )
    .option(
      '--force',
      'Make runs again whose record was measured otherwise than the protocol says.',
    )
    .addHelpText('after', notes)
    .action(async (file: string, written: Written) => {
      done(await study(file, written, environment));
    });
}

async function study(file: string, written: Written, environment: Environment): Promise<number> {
  const { files = nodeFiles, folder, print, complain, signal } = environment;
  const number = (name: string, text: string | undefined): number | null =>
    text === undefined ? null : wholeNumber('study', name, text, 1);
  const workers = number('workers', written.workers)!;
  const shared = workers > 1 ? Math.max(1, Math.floor(availableParallelism() / workers)) : null;
  const sitting = {
    backend: written.backend,
    threads: number('threads', written.threads) ?? shared,
    maxMinutes: number('max-minutes', written.maxMinutes),
    workers,
  };
  const request = {
    only: listOf(written.only),
    rows: listOf(written.rows),
    paths: pathsOf(written.path ?? []),
    backend: written.backend,
  };
  const opened = await openStudy(file, request, folder);
  const before = await studyState(opened, files);
  if (written.dryRun) {
    print(textTable(stateTable(before)));
    print(progressText(before, workers));
    for (const line of changesIn(before)) print(line);
    return exitCodes.success;
  }
  if (written.page !== undefined) {
    const path = resolve(folder, written.page);
    const pictures = written.pictures === undefined ? null : resolve(folder, written.pictures);
    const way =
      pictures === null ? null : `${relative(dirname(path), pictures).split(sep).join('/')}/`;
    const blocks = studyBlocks(opened, before, way);
    const page = fillPage(await readText(path, files), blocks, written.page);
    if (pictures !== null) await writePictures(pictures, opened, before, files);
    await writeWhole(path, page, files);
    print(`${written.page}: ${progressText(before, workers)}`);
    for (const line of changesIn(before)) complain(line);
    return exitCodes.success;
  }
  if (written.pictures !== undefined) {
    throw new MultigradError(
      'invalid-option',
      'Option `pictures` of `study` needs `page`: pictures stand on a page.',
    );
  }
  assertUnchanged(before, written.force === true);
  assertRunnable(before);
  print(`Study ${opened.name}: ${progressText(before, workers)}`);
  // Native TensorFlow reads it when it starts.
  if (sitting.threads !== null) process.env['TF_NUM_INTRAOP_THREADS'] = String(sitting.threads);
  const began = performance.now();
  const failures =
    workers > 1
      ? await runWorkers(file, written, sitting, environment)
      : (await runStudy(opened, sitting, environment)).failures;
  const after = await studyState(opened, files);
  print(
    `${formatCount(after.done - before.done, 'run')} in ${formatDuration((performance.now() - began) / 1000)}; ${progressText(after, workers)}.`,
  );
  for (const failure of failures) complain(`Failed: ${failure}`);
  if (signal.aborted) {
    complain(`${interruptionOf(signal)}: the same command goes on where it was stopped.`);
    return exitCodes.interrupted;
  }
  return failures.length > 0 ? exitCodes.failure : exitCodes.success;
}

/** Writes the pictures of a study into their folder, and removes those of it that are no longer drawn. */
async function writePictures(
  folder: string,
  study: Study,
  state: StudyState,
  files: Files,
): Promise<void> {
  const pictures = studyPictures(study, state);
  const own = [
    `${overviewName(study)}.svg`,
    ...study.settings.flatMap(({ name }) =>
      figureKinds.map((kind) => `${figureName(name, kind)}.svg`),
    ),
  ];
  await makeFolders(files, folder);
  for (const name of own) {
    const text = pictures.get(name);
    if (text === undefined) await removeIfThere(files, join(folder, name));
    else await writeWhole(join(folder, name), text, files);
  }
}

/** The largest page that is read, in bytes. */
const mostBytes = 2 ** 24;

async function readText(path: string, files: Files): Promise<string> {
  try {
    return new TextDecoder().decode(await readPlainFile(files, path, mostBytes));
  } catch (cause) {
    throw ioError(`read ${path}`, cause);
  }
}

function listOf(text: string | undefined): string[] | null {
  return text === undefined ? null : text.split(',').map((name) => name.trim());
}

/** @throws MultigradError `invalid-option` for what is no `<setting>.<option>=<folder>` */
function pathsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, path] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
      if (name !== undefined && path !== undefined) return [name, path];
      throw new MultigradError(
        'invalid-option',
        `Option \`path\` of \`study\` should be as in --path digits.data=FOLDER. Found ${JSON.stringify(text)}.`,
      );
    }),
  );
}

/** Lines on records of another protocol: those that differ alike stand together. */
function changesIn({ changed }: StudyState): string[] {
  const byDifference = new Map<string, string[]>();
  for (const { path, differences } of changed) {
    const key = differences.join('; ');
    byDifference.set(key, [...(byDifference.get(key) ?? []), path]);
  }
  return Array.from(
    byDifference,
    ([differences, paths]) =>
      `${formatCount(paths.length, 'record')} of another protocol (${differences}), as ${paths[0]!}`,
  );
}

function assertUnchanged(state: StudyState, force: boolean): void {
  if (state.changed.length === 0 || force) return;
  throw new MultigradError(
    'io',
    `The protocol has changed since some of its records were made:\n${changesIn(state)
      .map((line) => `  ${line}`)
      .join('\n')}\n` +
      'Put the protocol back, name another folder of records in it, or make these runs again with --force.',
  );
}
