import { join } from 'node:path';
import { recipes } from '../recipes/index.ts';
import { renderReport } from '../report/report.ts';
import { type Summary, summarize } from '../results/summary.ts';
import {
  markdownTable,
  resultsCaption,
  resultsCsv,
  resultsTable,
  runsTable,
  textTable,
} from '../results/table.ts';
import type { ComparisonConfig } from '../runs/config.ts';
import { readConfig, readRuns, writeWhole } from '../runs/output-folder.ts';

/** An argument as a shell reads it. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** The command line that measures a configuration again, into a new folder. */
export function repeatCommand({ recipe, strategies, seeds, settings }: ComparisonConfig): string {
  const counted = seeds.every((seed, index) => seed === index);
  const what =
    counted || strategies.length > 1
      ? ['compare', recipe, '--strategies', strategies.join(','), '--seeds', String(seeds.length)]
      : ['train', recipe, '--strategy', strategies[0]!, '--seed', String(seeds[0])];
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return ['multigrad', ...what, ...flags].map(quoted).join(' ');
}

function markdown(summary: Summary, runs: Parameters<typeof runsTable>[1]): string {
  const { config, notes } = summary;
  const title = recipes.find(({ name }) => name === config.recipe)?.title ?? config.recipe;
  const parts = [
    `# ${title}`,
    markdownTable(resultsTable(summary)),
    resultsCaption(summary),
    ...(notes.length > 0
      ? ['† Runs cut short:', notes.map((note) => `- ${note.split('\n')[0]!}`).join('\n')]
      : []),
    '## Every run',
    markdownTable(runsTable(summary, runs)),
  ];
  return `${parts.join('\n\n')}\n`;
}

/**
 * Writes the tables and the report of an output folder from its run files.
 *
 * @param shown - the folder as the user wrote it, for the commands in the report
 * @throws MultigradError `io` or `invalid-data` where the folder cannot be read or written
 */
export async function writeOutputs(folder: string, shown: string): Promise<Summary> {
  const config = readConfig(folder);
  const runs = readRuns(folder, config);
  const summary = summarize(config, runs);
  writeWhole(join(folder, 'table.csv'), resultsCsv(summary));
  writeWhole(join(folder, 'table.md'), markdown(summary, runs));
  const commands = { repeat: repeatCommand(config), redraw: `multigrad report ${quoted(shown)}` };
  writeWhole(join(folder, 'report.html'), await renderReport(summary, runs, commands));
  return summary;
}

/** The results as lines for a terminal or a log. */
export function resultLines(folder: string, summary: Summary): string[] {
  const table =
    summary.rows.length > 0
      ? [textTable(resultsTable(summary)), '', resultsCaption(summary)]
      : ['No run has got as far as a training step.'];
  return [
    '',
    ...table,
    ...summary.notes.map((note) => `† ${note.split('\n')[0]!}`),
    '',
    `Report: ${join(folder, 'report.html')}`,
    `Tables: ${join(folder, 'table.md')}, ${join(folder, 'table.csv')}`,
  ];
}
