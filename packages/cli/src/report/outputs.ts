import { join } from 'node:path';
import type { Files } from '@multigrad/core/files';
import { own } from '@multigrad/core/strategy';
import { describedExperiment } from '../experiments/described.ts';
import { analysisCsv } from '../results/analysis-csv.ts';
import { contributionCsv } from '../results/contribution-csv.ts';
import {
  contributionCaption,
  contributionTable,
  cooperationTable,
} from '../results/contributions.ts';
import { resultsCsv } from '../results/csv.ts';
import type { Summary } from '../results/figures.ts';
import { type Front, frontCsv, frontOf, frontSentences, frontTable } from '../results/front.ts';
import { differenceFindings, standingSentences } from '../results/findings.ts';
import { summarize } from '../results/summary.ts';
import {
  type Table,
  comparisonCaption,
  comparisonTable,
  markdownTable,
  resultsCaption,
  resultsTable,
  runsTable,
  textTable,
} from '../results/table.ts';
import type { DrawPicture, ReportCommands } from './report-content.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import { preferenceText } from '../strategies/preferences.ts';
import { areSpread, type Ray } from '../strategies/rays.ts';
import { formatCount, wrapText } from '../shared/wording.ts';
import { analysisFiles, contributionFile } from '../runs/folder-layout.ts';
import { writeWhole } from '../runs/output-folder.ts';
import { readRuns } from '../runs/read-folder.ts';

/** An argument of a command line, quoted where a shell needs it. */
export function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** The command line that measures a configuration again, into a new folder. */
function repeatCommand({
  command,
  experiment,
  strategies,
  seeds,
  settings,
  module,
  rays,
  reference,
}: ComparisonConfig): string {
  const named = module?.specifier ?? experiment;
  const counted = seeds.every((seed, index) => seed === index);
  const analysed = command === 'analyze';
  const what =
    analysed || counted || strategies.length > 1
      ? [
          analysed ? 'analyze' : 'compare',
          named,
          '--strategies',
          strategies.join(','),
          '--seeds',
          String(seeds.length),
        ]
      : ['train', named, '--strategy', strategies[0]!, '--seed', String(seeds[0])];
  // A setting of a folder that was not named is an empty text.
  const chosen = Object.entries(settings).filter(([, value]) => value !== '');
  const flags = chosen.flatMap(([name, value]) => [`--${name}`, String(value)]);
  if (rays !== undefined) {
    const written = Object.entries(rays).map(
      ([specifier, ray]) => [withoutPreference(specifier, rays), ray] as const,
    );
    return [...new Set(written.map(([base]) => base))]
      .map((base) => {
        const its = written.flatMap(([other, ray]) => (other === base ? [ray] : []));
        const asked = [
          ...['--strategy', base, ...raysAsked(its), '--seeds', String(seeds.length)],
          ...(reference === undefined
            ? []
            : ['--reference', Object.values(reference).map(String).join(',')]),
        ];
        return ['multigrad', 'front', named, ...asked, ...flags].map(quoted).join(' ');
      })
      .join(' && ');
  }
  return ['multigrad', ...what, ...flags].map(quoted).join(' ');
}

/** The options of `front` that ask for some rays of one strategy. */
function raysAsked(rays: readonly Ray[]): string[] {
  const objectives = Object.keys(rays[0]!);
  return areSpread(objectives, rays)
    ? ['--rays', String(rays.length)]
    : ['--preferences', rays.map((ray) => preferenceText(objectives, ray)).join(';')];
}

/** A specifier of a front without the preference that it ends with, an option for each objective of its ray. */
function withoutPreference(specifier: string, rays: NonNullable<ComparisonConfig['rays']>): string {
  return Object.keys(own(rays, specifier)!).reduce(
    (text) => text.replace(/[:,][^:,]*$/, ''),
    specifier,
  );
}

function markdown(summary: Summary, runs: Parameters<typeof runsTable>[1]): string {
  const { config, notes } = summary;
  const title = describedExperiment(config)?.title ?? config.experiment;
  const front = frontOf(summary);
  const comparison = front === null ? comparisonTable(summary) : null;
  const parts = [
    `# ${title}`,
    ...(front === null
      ? []
      : ['## Front', markdownTable(frontTable(front)), ...frontSentences(front), '## Results']),
    markdownTable(resultsTable(summary)),
    resultsCaption(summary),
    ...(comparison === null
      ? []
      : ['## Beside each other', markdownTable(comparison), comparisonCaption(summary)]),
    ...contributionParts(summary),
    ...(front === null ? differenceFindings(summary) : []).map(
      ({ objective, sentences }) =>
        `### ${objective}\n\n${sentences.map((sentence) => `- ${sentence}`).join('\n')}`,
    ),
    ...(notes.length > 0
      ? ['† Runs cut short:', notes.map((note) => `- ${note.split('\n')[0]!}`).join('\n')]
      : []),
    '## Every run',
    markdownTable(runsTable(summary, runs)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function contributionParts(summary: Summary): string[] {
  const tables = [contributionTable(summary), cooperationTable(summary)].filter(
    (table) => table !== null,
  );
  if (tables.length === 0) return [];
  return ['## Modalities', contributionCaption(summary), ...tables.map(markdownTable)];
}

/** The commands that the report of a folder names. */
export function reportCommands(config: ComparisonConfig, shown: string): ReportCommands {
  return { repeat: repeatCommand(config), redraw: `multigrad report ${quoted(shown)}` };
}

/**
 * Writes the tables and the report of an output folder from its run files.
 *
 * @param shown - the folder as the user wrote it, for the commands in the report
 * @param draw - draws the report's charts
 * @throws MultigradError `io` or `invalid-data` where the folder cannot be read or written
 */
export async function writeOutputs(
  folder: string,
  config: ComparisonConfig,
  shown: string,
  files: Files,
  draw?: DrawPicture,
): Promise<Summary> {
  const runs = await readRuns(folder, config, files);
  const summary = summarize(config, runs);
  const write = (name: string, text: string): Promise<void> =>
    writeWhole(join(folder, name), text, files);
  await write('table.csv', resultsCsv(summary));
  await write('table.md', markdown(summary, runs));
  const analysis = analysisCsv(runs);
  for (const file of analysisFiles) {
    if (analysis !== null) await write(file, analysis[file]);
  }
  const contributions = contributionCsv(runs);
  if (contributions !== null) await write(contributionFile, contributions);
  const front = frontOf(summary);
  if (front !== null) {
    await write('front.json', `${JSON.stringify(front, null, 2)}\n`);
    await write('front.csv', frontCsv(front));
  }
  // The chart library takes longer to load than most commands take to run.
  const { renderReport } = await import('./report-content.ts');
  const page = await renderReport(summary, runs, reportCommands(config, shown), draw);
  await write('report.html', page);
  return summary;
}

const lineWidth = 80;

/**
 * The results for a terminal: steps and seeds, which stand in the last two columns, are put into words where they are
 * the same for all rows.
 */
function narrowTable(summary: Summary): { readonly table: Table; readonly same: string } {
  const table = resultsTable(summary);
  const { columns, rows } = table;
  const [first] = summary.rows;
  const uniform = summary.rows.every(
    (row) => row.steps === first!.steps && row.seeds.length === first!.seeds.length,
  );
  if (first === undefined || !uniform) return { table, same: '' };
  return {
    table: { ...table, columns: columns.slice(0, -2), rows: rows.map((row) => row.slice(0, -2)) },
    same: `Each run took ${formatCount(first.steps, 'step')}; n = ${first.seeds.length}.`,
  };
}

/** For each objective which strategies the seeds tell apart from the best; nothing where one seed was run. */
function standingLines(summary: Summary): string[] {
  const sentences = standingSentences(summary);
  return sentences.length > 0
    ? ['', ...sentences.flatMap((sentence) => wrapText(sentence, lineWidth))]
    : [];
}

/** The front for a terminal: without the components of the rays where those would make lines too long. */
function frontLines(front: Front): string[] {
  const whole = textTable(frontTable(front)).split('\n');
  return whole.every((line) => line.length <= lineWidth)
    ? whole
    : [...textTable(frontTable(front, false)).split('\n'), '', 'The rays are in front.csv.'];
}

/** The results as lines for a terminal or a log. */
export function resultLines(folder: string, summary: Summary): string[] {
  const { table, same } = narrowTable(summary);
  const front = frontOf(summary);
  const rays =
    front === null
      ? []
      : [
          ...frontLines(front),
          '',
          ...frontSentences(front).flatMap((sentence) => wrapText(sentence, lineWidth)),
          '',
        ];
  const results =
    summary.rows.length > 0
      ? [
          ...rays,
          textTable(table),
          '',
          ...wrapText(`${resultsCaption(summary)} ${same}`.trimEnd(), lineWidth),
          ...(front === null ? standingLines(summary) : []),
        ]
      : ['No run has got as far as a training step.'];
  return [
    '',
    ...results,
    ...summary.notes.map((note) => `† ${note.split('\n')[0]!}`),
    '',
    `Report: ${join(folder, 'report.html')}`,
    `Tables: ${join(folder, 'table.md')}, ${join(folder, 'table.csv')}`,
  ];
}
