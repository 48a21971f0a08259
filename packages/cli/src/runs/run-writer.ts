import { dirname, join } from 'node:path';
import {
  type Files,
  makeFolders,
  removeIfThere,
  replaceDurably,
  syncFolder,
} from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError, isMissing } from '@multigrad/core/support';
import type { AnalysisRecord } from './analysis-records.ts';
import { RecordFile } from './record-file.ts';
import type { EpochRecord, LineCounts, RunResult, StepRecord } from './records.ts';

/** Writes the records of one run while it trains: each line is handed to the system before the next step begins. */
export interface RunWriter {
  /**
   * Goes on after so many lines, and leaves out what came after.
   *
   * @returns what is missing of them, a sentence for each file; the lines that follow keep their numbers
   */
  keep(lines: LineCounts): Promise<readonly string[]>;
  epoch(record: EpochRecord): Promise<void>;
  step(record: StepRecord): Promise<void>;
  analysis(record: AnalysisRecord): Promise<void>;
  /** Lines so far. */
  lines(): LineCounts;
  /** Waits until all lines are on the disk: before a checkpoint that relies on them. */
  sync(): Promise<void>;
  /** Marks the end of the run; without it the run counts as cut off. */
  end(result: RunResult): Promise<void>;
  /** Closes the files, however the run ended. */
  close(): Promise<void>;
}

/** The counts of a run that has no lines yet. */
export const noLines: LineCounts = { epochs: 0, steps: 0, analysis: 0 };

/** Writes nothing: for ranks that do not lead. */
export const noWriter: RunWriter = {
  keep: () => Promise.resolve([]),
  epoch: () => Promise.resolve(),
  step: () => Promise.resolve(),
  analysis: () => Promise.resolve(),
  lines: () => noLines,
  sync: () => Promise.resolve(),
  end: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

/** Opens one run's folder, with what an earlier attempt left there; until `keep` is called no record is changed. */
export async function openRun(files: Files, path: string): Promise<RunWriter> {
  const inFolder = async (what: string, action: () => Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (cause) {
      if (MultigradError.isInstance(cause)) throw cause;
      throw ioError(what, cause);
    }
  };
  const resultFile = join(path, 'result.json');
  await inFolder(`write to ${path}`, async () => {
    await assertNoLinks(files, dirname(path), false);
    await assertNoLinks(files, path, true);
    await makeFolders(files, path);
    await removeIfThere(files, resultFile);
    await syncFolder(files, path);
  });
  const epochs = new RecordFile(files, join(path, 'epochs.jsonl'));
  const steps = new RecordFile(files, join(path, 'steps.jsonl'));
  const analysis = new RecordFile(files, join(path, 'analysis.jsonl'));
  const all = { epochs, steps, analysis } as const;
  const sync = async (): Promise<void> => {
    for (const file of Object.values(all)) await file.sync();
  };
  return {
    keep: async (lines) => {
      const gaps: string[] = [];
      for (const name of ['epochs', 'steps', 'analysis'] as const) {
        const missing = await all[name].keep(lines[name]);
        if (missing !== '') gaps.push(gapIn(name, lines[name], missing));
      }
      await sync();
      return gaps;
    },
    epoch: (record) => epochs.add(record),
    step: (record) => steps.add(record),
    analysis: (record) => analysis.add(record),
    lines: () => ({ epochs: epochs.count, steps: steps.count, analysis: analysis.count }),
    sync,
    end: async (result) => {
      await sync();
      await inFolder(`write ${resultFile}`, () =>
        replaceDurably(files, resultFile, `${JSON.stringify(result, null, 2)}\n`),
      );
    },
    close: async () => {
      // All of them, also where one cannot be closed.
      const ends = await Promise.allSettled(Object.values(all).map((file) => file.close()));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    },
  };
}

/**
 * Checks that a folder, and with `within` all that it holds, is no link: what is written into a run's folder stays there,
 * whoever made it.
 *
 * @throws MultigradError `unsupported`
 */
async function assertNoLinks(files: Files, path: string, within: boolean): Promise<void> {
  let kind: string;
  try {
    ({ kind } = await files.look(path));
  } catch (cause) {
    if (isMissing(cause)) return;
    throw cause;
  }
  if (kind === 'link') {
    throw new MultigradError(
      'unsupported',
      `${path} is a link, through which another place would be written. Move what it points at into the output folder.`,
    );
  }
  if (!within || kind !== 'folder') return;
  for (const { name } of await files.list(path)) await assertNoLinks(files, join(path, name), true);
}

/** A sentence on lines that a file of records lacks. */
export function gapIn(name: keyof LineCounts, count: number, missing: string): string {
  return `${name}.jsonl should have lines 0 … ${count - 1}. Lost: ${missing}.`;
}
