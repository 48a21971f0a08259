import { join } from 'node:path';

// Names of what an output folder and the folders of its runs hold.

/** The file that holds the configuration of the output folder. */
export const configFile = 'config.json';
/** Every file of a run's folder that is read. */
export const runFiles = ['epochs.jsonl', 'steps.jsonl', 'analysis.jsonl', 'result.json'] as const;
/** The folder below an output folder that holds a folder for each run. */
export const runsFolder = 'runs';
/** Tables that `multigrad analyze` writes beside those of every command. */
export const analysisFiles = ['cosines.csv', 'gradients.csv', 'landscape.csv'] as const;
/** The table of every contribution of a modality, where they were measured. */
export const contributionFile = 'contributions.csv';
/** What `multigrad front` writes beside the tables of every command. */
export const frontFiles = ['front.json', 'front.csv'] as const;
/** What this program writes into an output folder, and all that `--force` removes. */
export const ownFiles: readonly string[] = [
  ...[configFile, runsFolder, 'table.csv', 'table.md', 'report.html'],
  ...analysisFiles,
  contributionFile,
  ...frontFiles,
];

/** The folder of one run. */
export function runFolder(folder: string, name: string): string {
  return join(folder, runsFolder, name);
}

/** Where the checkpoints of a run are. */
export function checkpointsFolder(folder: string, name: string): string {
  return join(runFolder(folder, name), 'checkpoints');
}
