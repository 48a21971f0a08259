import { join } from 'node:path';
import type { Files } from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError, isMissing } from '@multigrad/core/support';
import { assertShape, byName, count, fields, finite, list, measured, text } from '../runs/shape.ts';
import { readJson } from './study-record.ts';

/** A run that another program made from the same data, initial weights and order of samples, as far as tables need it. */
export interface PeerRecord {
  /** Name of the row that it is an implementation of. */
  readonly row: string;
  readonly lr: number;
  readonly seed: number;
  /** Measured on the test set after each epoch, by objective and metric. */
  readonly curves: {
    readonly test: Readonly<Record<string, Readonly<Record<string, readonly (number | null)[]>>>>;
  };
}

const peerShape = fields({
  ...{ row: text, lr: finite, seed: count },
  curves: fields({ test: byName(byName(list(measured))) }),
});

/**
 * Reads the records that another program left in a folder; none where there is no such folder yet.
 *
 * @throws MultigradError `io`; `invalid-data` where one is damaged, or two are of the same run
 */
export async function readPeerRecords(folder: string, files: Files): Promise<PeerRecord[]> {
  const records = new Map<string, PeerRecord>();
  for (const name of await namesIn(folder, files)) {
    const path = join(folder, name);
    const value = await readJson(path, files);
    // Removed since the folder was listed.
    if (value === undefined) continue;
    assertShape(value, peerShape, path);
    const record = value as PeerRecord;
    const run = `${record.row} ${record.lr} ${record.seed}`;
    if (records.has(run)) {
      throw new MultigradError(
        'invalid-data',
        `${path}: there should be one record of row \`${record.row}\` at rate ${record.lr} with seed ${record.seed}. Found another in ${folder}.`,
      );
    }
    records.set(run, record);
  }
  return [...records.values()];
}

/** The JSON files of a folder, in the order of their names. */
async function namesIn(folder: string, files: Files): Promise<string[]> {
  try {
    const entries = await files.list(folder);
    return entries
      .map(({ name }) => name)
      .filter((name) => name.endsWith('.json'))
      .sort();
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw ioError(`read ${folder}`, cause);
  }
}
