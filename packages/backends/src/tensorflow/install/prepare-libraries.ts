import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MultigradError } from '@multigrad/core/strategy';
import type { NativeDevice, NativeIngredient } from '../native-build.ts';
import { fetchWheel, givenWheel, type Wheel } from './fetch-wheels.ts';
import { makeFolder } from './files.ts';
import type { PinnedWheel } from './pins.ts';
import type { OnProgress } from './progress.ts';
import type { CommandContext } from './run-command.ts';
import { findPip } from './tools.ts';
import { checkUnpacked, readMetadata, unpackWheel } from './unpack-wheel.ts';

/** The TensorFlow that a tree is to hold. */
export interface WantedLibraries {
  readonly tensorflow: string;
  readonly device: NativeDevice;
  readonly arch: string;
  /** The wheels whose hashes are known beforehand. */
  readonly pinned: readonly PinnedWheel[];
  /** A wheel that the user has fetched. */
  readonly wheel: string | undefined;
}

/** The Python package for a device. On arm64 there is only one package, for processors. */
const packageOf = ({ device, arch }: WantedLibraries): string =>
  device === 'cpu' && arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';

/**
 * Puts libraries and headers into the tree. They come from the wheel of TensorFlow and, for GPUs, from the wheels of CUDA
 * that its extra `and-cuda` requires. A tree that an earlier installation has completed is kept.
 *
 * @returns the wheels and their hashes
 */
export async function prepareLibraries(
  wanted: WantedLibraries,
  tree: string,
  context: CommandContext,
  onProgress: OnProgress,
): Promise<readonly NativeIngredient[]> {
  const { folder: work, signal } = context;
  const kept = await readFile(join(tree, 'wheels.json'), 'utf8').catch(() => null);
  if (kept !== null) return JSON.parse(kept) as NativeIngredient[];
  const known = wanted.pinned.filter(({ arch }) => arch === wanted.arch);
  const fetch = (requirement: string, pinned?: PinnedWheel): Promise<Wheel> => {
    const folder = join(work, 'wheels', requirement.replace(/[^a-z0-9.-].*/, ''));
    const target = { requirement, arch: wanted.arch, pinned };
    return fetchWheel(target, folder, () => findPip(context), context, onProgress);
  };
  const asked = `${packageOf(wanted)}==${wanted.tensorflow}`;
  const main =
    wanted.wheel === undefined
      ? await fetch(
          asked,
          known.find(({ requirement }) => requirement === asked),
        )
      : await givenWheel(resolve(wanted.wheel));
  const wheels = [main];
  if (wanted.device === 'gpu') {
    const isPinned = known.some(({ sha256 }) => main.hash === `sha256:${sha256}`);
    for (const requirement of cudaRequirements(await readMetadata(main))) {
      // Another TensorFlow may need other versions than the pinned ones, so pip chooses the versions.
      const pinned = isPinned ? pinOf(requirement, known, main) : undefined;
      wheels.push(await fetch(pinned?.requirement ?? requirement, pinned));
    }
  }
  const unpacking = join(work, 'unpacking');
  await rm(unpacking, { recursive: true, force: true });
  await makeFolder(unpacking);
  for (const wheel of wheels) await unpackWheel(wheel, unpacking, signal, onProgress);
  await checkUnpacked(unpacking, main.name);
  const ingredients = wheels.map(({ name, hash }) => ({ name, hash }));
  await writeFile(join(unpacking, 'wheels.json'), JSON.stringify(ingredients));
  await rm(tree, { recursive: true, force: true });
  await rename(unpacking, tree);
  // Deletes the wheels, which are unpacked by now, to free their room.
  await rm(join(work, 'wheels'), { recursive: true, force: true });
  return ingredients;
}

/** The requirements of the extra `and-cuda`, as the metadata of the wheel states them. */
export function cudaRequirements(metadata: string): string[] {
  return [...metadata.matchAll(/^Requires-Dist: ([^;\n]+);.*extra == ["']and-cuda["']/gm)].map(
    ([, requirement]) => requirement!.trim(),
  );
}

const nameOf = (requirement: string): string => /^[\w.-]+/.exec(requirement)![0];

/** The pinned wheel for a requirement of a pinned wheel. It throws where there is none, so that every wheel has a hash. */
function pinOf(requirement: string, known: readonly PinnedWheel[], by: Wheel): PinnedWheel {
  const found = known.find((wheel) => nameOf(wheel.requirement) === nameOf(requirement));
  if (found !== undefined) return found;
  throw new MultigradError(
    'invalid-data',
    `A hash should be pinned for ${requirement}, which ${by.name} requires. Found none.`,
  );
}
