import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { MultigradError } from '@multigrad/core/strategy';
import type { NativeIngredient } from '../native-build.ts';
import { hashFile, makeFolder, withFiles } from './files.ts';
import type { OnProgress } from './progress.ts';
import { type CommandContext, expectSuccess, runCommand } from './run-command.ts';
import type { Tool } from './tools.ts';

/** A wheel on disk. */
export interface Wheel extends NativeIngredient {
  readonly path: string;
}

/** A wheel to fetch. */
export interface WantedWheel {
  /** The requirement as pip takes it: `tensorflow-cpu==2.21.0`. */
  readonly requirement: string;
  /** The architecture as `process.arch` names it. */
  readonly arch: string;
  /** The hash and the size of the wheel, where they are known beforehand. */
  readonly pinned?: { readonly sha256: string; readonly bytes: number } | undefined;
}

/** The Python for which wheels are fetched. The user's Python does not matter, since only C++ libraries are used. */
const python = { version: '3.11', implementation: 'cp', abi: 'cp311' };
const manylinux = ['manylinux_2_28', 'manylinux_2_27', 'manylinux_2_17', 'manylinux2014'];
const machines: ReadonlyMap<string, string> = new Map([
  ['x64', 'x86_64'],
  ['arm64', 'aarch64'],
]);

/**
 * Fetches one wheel into a folder of its own with the user's pip, which checks it against the hash of its index. A wheel
 * that an earlier installation has fetched and checked is not fetched again.
 */
export async function fetchWheel(
  { requirement, arch, pinned }: WantedWheel,
  folder: string,
  findPip: () => Promise<Tool>,
  context: CommandContext,
  onProgress: OnProgress,
): Promise<Wheel> {
  const kept = await wheelIn(folder);
  if (kept !== null) return kept;
  const pip = await findPip();
  // Every version of pip writes what it has downloaded so far below TMPDIR. Progress is measured there.
  const [arriving, temporary] = [`${folder}.arriving`, `${folder}.tmp`];
  for (const path of [folder, arriving, temporary]) {
    await rm(path, { recursive: true, force: true });
  }
  await makeFolder(arriving);
  await makeFolder(temporary);
  const report = (share: number | null): void =>
    onProgress({ step: 'download', subject: requirement, share });
  report(pinned === undefined ? null : 0);
  const watch = setInterval(() => {
    if (pinned === undefined) return;
    void bytesBelow([arriving, temporary]).then((bytes) =>
      report(Math.min(1, bytes / pinned.bytes)),
    );
  }, 200);
  try {
    const machine = machines.get(arch) ?? arch;
    const platforms = manylinux.flatMap((tag) => ['--platform', `${tag}_${machine}`]);
    const words = ['download', '--no-deps', '--only-binary=:all:', '--no-input'];
    const target = ['--python-version', python.version, '--implementation', python.implementation];
    const result = await runCommand(
      [
        ...pip,
        ...words,
        ...target,
        '--abi',
        python.abi,
        ...platforms,
        '--dest',
        arriving,
        requirement,
      ],
      { ...context, environment: { ...context.environment, TMPDIR: temporary } },
    );
    expectSuccess(`Fetching ${requirement} with pip`, result!);
  } finally {
    clearInterval(watch);
    await rm(temporary, { recursive: true, force: true });
  }
  const [file] = (await readdir(arriving)).filter((name) => name.endsWith('.whl'));
  if (file === undefined) {
    throw new MultigradError('io', `pip should leave a wheel of ${requirement}. Found none.`);
  }
  await recordWheel(join(arriving, file), requirement, pinned?.sha256);
  await rename(arriving, folder);
  return (await wheelIn(folder))!;
}

/** Reads a wheel that the user has fetched, for its name and its hash. */
export async function givenWheel(path: string): Promise<Wheel> {
  return withFiles('read the wheel', path, async () => ({
    name: basename(path),
    path,
    hash: await checkedHash(path, basename(path), undefined),
  }));
}

/** The wheel in a folder; null unless its hash matches the file beside it, which is written once the wheel was checked. */
async function wheelIn(folder: string): Promise<Wheel | null> {
  const names = await readdir(folder).catch(() => []);
  const name = names.find((file) => file.endsWith('.whl'));
  if (name === undefined) return null;
  const path = join(folder, name);
  const written = await readFile(`${path}.sha256`, 'utf8').catch(() => null);
  if (written === null || written !== (await hashFile(path, 'sha256', 'hex'))) return null;
  return { name, path, hash: `sha256:${written}` };
}

async function recordWheel(
  path: string,
  requirement: string,
  sha256: string | undefined,
): Promise<void> {
  const hash = await checkedHash(path, requirement, sha256);
  await writeFile(`${path}.sha256`, hash.slice('sha256:'.length));
}

async function checkedHash(
  path: string,
  what: string,
  sha256: string | undefined,
): Promise<string> {
  const found = await hashFile(path, 'sha256', 'hex');
  if (sha256 !== undefined && found !== sha256) {
    throw new MultigradError(
      'invalid-data',
      `The checksum of ${what} should be sha256:${sha256}. Found sha256:${found}; nothing of it was used.`,
    );
  }
  return `sha256:${found}`;
}

async function bytesBelow(folders: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const folder of folders) {
    const names = await readdir(folder, { recursive: true }).catch(() => []);
    for (const name of names) {
      // A file may vanish between the listing and this call, while pip works.
      const file = await stat(join(folder, name)).catch(() => null);
      if (file?.isFile()) bytes += file.size;
    }
  }
  return bytes;
}
