import { resolve } from 'node:path';
import { nodeFiles } from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import { Command } from 'commander';
import { exportReport, type PictureFormat, pictureFormats } from '../paper/export-report.ts';
import { resultLines, writeOutputs } from '../report/outputs.ts';
import { readConfig } from '../runs/read-folder.ts';
import { exitCodes } from '../shared/exit-codes.ts';
import { formatCount } from '../shared/wording.ts';
import type { CommandContext } from './command.ts';

/**
 * The kinds of pictures that a list names.
 *
 * @throws MultigradError `invalid-option` for another kind, or none
 */
function parseFormats(list: string): readonly PictureFormat[] {
  const names = list.split(',').map((name) => name.trim().toLowerCase());
  const known = (name: string): name is PictureFormat =>
    (pictureFormats as readonly string[]).includes(name);
  if (names.every(known)) return pictureFormats.filter((format) => names.includes(format));
  throw new MultigradError(
    'invalid-option',
    `--formats should be a list of ${pictureFormats.join(', ')}. Found ${describeValue(list)}.`,
  );
}

/** `multigrad report`: writes tables and report of an output folder anew, or exports them for a paper. */
export function reportCommand({ environment, done }: CommandContext): Command {
  const { print, files = nodeFiles, draw } = environment;
  return new Command()
    .argument('<folder>', 'Output folder of compare, train or analyze.')
    .option(
      '--export <folder>',
      'Write each chart as a picture, and the tables as CSV and LaTeX, into this folder: new, empty, or of an earlier export.',
    )
    .option('--formats <list>', `Kinds of pictures to export, of ${pictureFormats.join(', ')}.`)
    .addHelpText(
      'after',
      `
Pictures are drawn with the font DejaVu Sans: PDF files hold the letters that they use, so that text stays text. SVG needs
nothing; PDF and PNG need more packages, without which an export that names no formats leaves them out:
  npm install --save-dev @resvg/resvg-wasm pdfkit svg-to-pdfkit
LaTeX: results.tex and comparison.tex (booktabs), figures.tex (graphicx). The same folder gives the same files.`,
    )
    .action(
      async (given: string, asked: { readonly export?: string; readonly formats?: string }) => {
        const folder = resolve(environment.folder, given);
        const config = await readConfig(folder, files);
        if (asked.export === undefined) {
          if (asked.formats !== undefined) {
            throw new MultigradError(
              'invalid-option',
              '--formats belongs to --export, which names the folder for pictures.',
            );
          }
          const summary = await writeOutputs(folder, config, given, files, draw);
          for (const line of resultLines(given, summary)) print(line);
        } else {
          const request = {
            ...{ folder, given, givenTo: asked.export },
            to: resolve(environment.folder, asked.export),
            formats: asked.formats === undefined ? null : parseFormats(asked.formats),
          };
          const { names, missing } = await exportReport(request, config, files, draw);
          print(`${formatCount(names.length, 'file')} in ${asked.export}: ${names.join(', ')}`);
          for (const reason of missing) print(reason);
        }
        done(exitCodes.success);
      },
    );
}
