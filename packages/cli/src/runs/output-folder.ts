import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  type Files,
  makeFolders,
  removeTree,
  replaceDurably,
  syncFolder,
} from '@multigrad/core/files';
import { MultigradError } from '@multigrad/core/strategy';
import { ioError, isMissing } from '@multigrad/core/support';
import { type ComparisonConfig, configDifferences, extendsConfig, mergeConfigs } from './config.ts';
import { configFile, ownFiles } from './folder-layout.ts';
import { lockFile, lockFolder } from './folder-lock.ts';
import { readConfig } from './read-folder.ts';

/** Writes a file whole or not at all: after a crash or a power cut the old one is there. */
export async function writeWhole(path: string, text: string, files: Files): Promise<void> {
  try {
    await replaceDurably(files, path, text);
  } catch (cause) {
    throw ioError(`write ${path}`, cause);
  }
}

async function entriesOf(files: Files, folder: string): Promise<string[]> {
  try {
    const { kind } = await files.look(folder);
    if (kind === 'file') {
      throw new MultigradError(
        'io',
        `The output folder ${folder} is a file. Choose another with --out.`,
      );
    }
    return (await files.list(folder)).map(({ name }) => name);
  } catch (cause) {
    if (MultigradError.isInstance(cause)) throw cause;
    if (isMissing(cause)) return [];
    throw ioError(`use the output folder ${folder}`, cause);
  }
}

/** An output folder that no other program writes. */
export interface OpenFolder {
  /** The folder's configuration: what it held, and what is added. */
  readonly config: ComparisonConfig;
  /** Gives the folder back, so that other programs may write it. */
  readonly release: () => Promise<void>;
}

/**
 * Checks that a configuration may be measured into a folder; changes nothing.
 *
 * @param force - the results that the folder holds will be removed, whatever their configuration
 * @returns the configuration of the results that stay there; null where there are none
 * @throws MultigradError `io` where the folder cannot be read, holds files of somebody else, or results of another
 *   configuration (the differences are named)
 */
export async function checkOutputFolder(
  folder: string,
  config: ComparisonConfig,
  force: boolean,
  files: Files,
): Promise<ComparisonConfig | null> {
  const passing = (name: string): boolean =>
    name.endsWith('.part') || name === lockFile || name.startsWith(`${lockFile}.`);
  const entries = (await entriesOf(files, folder)).filter((name) => !passing(name));
  if (entries.length > 0 && !entries.includes(configFile)) {
    throw new MultigradError(
      'io',
      `The output folder ${folder} is not empty and holds no results of multigrad (found ${entries.slice(0, 3).join(', ')}` +
        `${entries.length > 3 ? ', …' : ''}). Choose another with --out.`,
    );
  }
  if (entries.length === 0 || force) return null;
  const before = await readConfig(folder, files);
  if (extendsConfig(before, config)) return before;
  const { strategies, seeds } = config;
  const differences = configDifferences({ ...before, strategies, seeds }, config);
  throw new MultigradError(
    'io',
    `The output folder ${folder} holds results of another configuration:\n` +
      `${differences.map((difference) => `  ${difference}`).join('\n')}\n` +
      'Choose another with --out, or replace these results with --force.',
  );
}

/**
 * Makes an output folder ready before any training: creates it, or takes up one of the same configuration again, to
 * which further strategies and seeds may be added.
 *
 * @returns the configuration that the folder has now; the folder belongs to this process until it is given back
 * @param force - remove the results that the folder holds, whatever their configuration; other files stay
 * @throws MultigradError `io` as {@link checkOutputFolder} does, where it cannot be written, or is being written by another
 *   process
 */
export async function openOutputFolder(
  folder: string,
  config: ComparisonConfig,
  force: boolean,
  files: Files,
): Promise<OpenFolder> {
  if ((await checkOutputFolder(folder, config, force, files)) !== null) {
    return claimed(folder, files, async () => {
      // Another program may have added to it meanwhile.
      const now = await readConfig(folder, files);
      const merged = mergeConfigs(now, config);
      if (!isDeepStrictEqual(now, merged)) await writeConfig(folder, merged, files);
      return merged;
    });
  }
  return claimed(folder, files, async () => {
    // The configuration is removed last and written first. Where the process dies in between, the folder is still known as
    // one of multigrad, and never holds results of another configuration.
    if (force) await removeResults(folder, files);
    await writeConfig(folder, config, files);
    return config;
  });
}

async function removeResults(folder: string, files: Files): Promise<void> {
  try {
    for (const name of ownFiles) {
      if (name !== configFile) await removeTree(files, join(folder, name));
    }
    await syncFolder(files, folder);
  } catch (cause) {
    throw ioError(`write to the output folder ${folder}`, cause);
  }
}

/** Changes a folder once it belongs to this process alone. */
async function claimed(
  folder: string,
  files: Files,
  change: () => Promise<ComparisonConfig>,
): Promise<OpenFolder> {
  try {
    await makeFolders(files, folder);
  } catch (cause) {
    throw ioError(`write to the output folder ${folder}`, cause);
  }
  const release = await lockFolder(files, folder, new Date());
  try {
    return { config: await change(), release };
  } catch (error) {
    await release().catch(() => undefined);
    throw error;
  }
}

/** Writes `config.json`. */
export async function writeConfig(
  folder: string,
  config: ComparisonConfig,
  files: Files,
): Promise<void> {
  await writeWhole(join(folder, configFile), `${JSON.stringify(config, null, 2)}\n`, files);
}
