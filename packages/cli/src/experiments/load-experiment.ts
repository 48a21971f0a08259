import { relative } from 'node:path';
import { MultigradError } from '@multigrad/core/strategy';
import { defineExperiment, type Experiment } from '@multigrad/experiment';
import type { ComparisonConfig } from '../runs/config.ts';
import { importOutside, isPath, modulePath } from '../shared/outside-module.ts';
import { moduleDigest } from '../shared/file-digest.ts';
import { findExperiment } from './index.ts';

/** An experiment of the user's, and where it came from. */
export interface OutsideExperiment {
  /** As the user wrote it: a path or the name of a package. */
  readonly specifier: string;
  readonly experiment: Experiment;
  /** The module's file; null for a package that only this program sees. */
  readonly path: string | null;
  /** Digest of the module's text; an empty text where there is no file. */
  readonly digest: string;
}

/**
 * Loads somebody else's experiment from a file or an npm package: its export `experiment`, checked.
 *
 * @param folder - paths are relative to it, and packages are looked for from it
 * @returns null where there is no such package
 * @throws MultigradError `invalid-argument` where there is no such file; `invalid-experiment` where it does not load or exports no
 *   experiment
 */
export async function loadExperiment(
  specifier: string,
  folder: string,
): Promise<OutsideExperiment | null> {
  let found: Awaited<ReturnType<typeof importOutside>>;
  try {
    found = await importOutside(specifier, folder);
  } catch (cause) {
    throw invalid(specifier, `does not load: ${placed(cause)}`, cause);
  }
  if (found === null) {
    if (!isPath(specifier)) return null;
    throw new MultigradError(
      'invalid-argument',
      `There is no experiment file ${modulePath(specifier, folder)} (from \`${specifier}\`).`,
    );
  }
  const { exports, path } = found;
  const value = exports['experiment'] ?? exports['default'];
  if (value === undefined) {
    const names = Object.keys(exports).map((name) => `\`${name}\``);
    throw invalid(
      specifier,
      `should export \`experiment\`, made by \`defineExperiment\`. Found ${names.length === 0 ? 'no exports' : names.join(', ')}.`,
    );
  }
  let experiment: Experiment;
  try {
    experiment = defineExperiment(value as Experiment);
  } catch (cause) {
    if (!MultigradError.isInstance(cause)) throw cause;
    throw invalid(specifier, `is not an experiment: ${cause.message}`, cause);
  }
  if (findExperiment(experiment.name) !== undefined) {
    throw invalid(
      specifier,
      `should have a \`name\` other than those of built-in experiments. Found "${experiment.name}".`,
    );
  }
  return { specifier, experiment, path, digest: path === null ? '' : moduleDigest(path) };
}

function invalid(specifier: string, what: string, cause?: unknown): MultigradError {
  return new MultigradError('invalid-experiment', `The module \`${specifier}\` ${what}`, { cause });
}

/** An error of a module, with the line where its text does not compile. */
function placed(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const [place = ''] = (cause.stack ?? '').split('\n');
  return place.startsWith('file:') ? `${String(cause)} (${place})` : String(cause);
}

/** Where a folder finds the user's experiment again, and what its report says of it; nothing for one that comes along. */
export function moduleOf(
  outside: OutsideExperiment | null,
  folder: string,
): Pick<ComparisonConfig, 'module' | 'description'> {
  if (outside === null) return {};
  const { specifier, path, digest, experiment } = outside;
  const { title, summary, sources, objectives, baseline, metrics } = experiment;
  const file = path === null ? {} : { file: relative(folder, path).replaceAll('\\', '/') };
  return {
    module: { specifier, ...file, digest },
    description: { title, summary, sources, objectives, baseline, metrics },
  };
}
