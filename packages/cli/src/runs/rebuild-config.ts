import { join } from 'node:path';
import { Checkpoints } from '@multigrad/checkpoint';
import type { Files } from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError, isMissing } from '@multigrad/core/support';
import { checkConfig, type ComparisonConfig, extendsConfig, mergeConfigs } from './config.ts';
import { checkpointsFolder, configFile, runsFolder } from './folder-layout.ts';
import { lockFolder } from './folder-lock.ts';
import { writeConfig } from './output-folder.ts';
import { findConfig, noConfig } from './read-folder.ts';

/** What a run's newest checkpoint says of the comparison that it is part of; null where there is none. */
async function configInCheckpoint(folder: string, files: Files): Promise<ComparisonConfig | null> {
  const content = await new Checkpoints(folder, { files }).readNewest();
  const records = content?.manifest.state.fit?.callbacks['records'];
  if (typeof records !== 'object' || records === null || !('comparison' in records)) return null;
  return checkConfig(records['comparison'], `The checkpoint in ${folder}`);
}

async function configInCheckpoints(folder: string, files: Files): Promise<ComparisonConfig | null> {
  const runs = await files.list(join(folder, runsFolder)).catch((cause: unknown) => {
    if (isMissing(cause)) return [];
    throw ioError(`read ${join(folder, runsFolder)}`, cause);
  });
  let whole: ComparisonConfig | null = null;
  for (const { name, kind } of runs) {
    if (kind !== 'folder') continue;
    const config = await configInCheckpoint(checkpointsFolder(folder, name), files);
    if (config === null) continue;
    if (whole !== null && !extendsConfig(whole, config)) {
      throw new MultigradError(
        'invalid-data',
        `${folder} has lost its ${configFile}, and its runs are of different comparisons.`,
      );
    }
    whole = whole === null ? config : mergeConfigs(whole, config);
  }
  return whole;
}

/**
 * Reads the configuration of an output folder. One that is lost or torn, as by a power cut, is made again from the
 * checkpoints; what was there is kept as `config.json.damaged`.
 *
 * @param note - takes a line for the user
 * @throws MultigradError `io` where there is none and no checkpoint tells; `invalid-data` where it is torn and no checkpoint
 *   tells; `unsupported` for another format
 */
export async function recoverConfig(
  folder: string,
  files: Files,
  note: (text: string) => void,
): Promise<ComparisonConfig> {
  let torn: MultigradError | null = null;
  try {
    const config = await findConfig(folder, files);
    if (config !== null) return config;
  } catch (error) {
    if (!MultigradError.isInstance(error) || error.code !== 'invalid-data') throw error;
    torn = error;
  }
  const rebuilt = await configInCheckpoints(folder, files);
  if (rebuilt === null) throw torn ?? noConfig(folder);
  const release = await lockFolder(files, folder, new Date());
  try {
    const path = join(folder, configFile);
    if (torn !== null) await files.rename(path, `${path}.damaged`);
    await writeConfig(folder, rebuilt, files);
  } catch (cause) {
    if (MultigradError.isInstance(cause)) throw cause;
    throw ioError(`write to ${folder}`, cause);
  } finally {
    await release();
  }
  note(
    `${configFile} was ${torn === null ? 'missing' : 'damaged'}: it is made again from the checkpoints.`,
  );
  return rebuilt;
}
