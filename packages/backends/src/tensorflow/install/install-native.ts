import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { MultigradError } from '@multigrad/core/strategy';
import {
  buildName,
  type NativeBuild,
  type NativeBuildRecord,
  type NativeDevice,
  nativeFolder,
  readBuild,
} from '../native-build.ts';
import { compileAddon, hashOwnSources } from './compile-addon.ts';
import { fetchPackages } from './fetch-packages.ts';
import { freeBytes, makeFolder, withFiles } from './files.ts';
import { withLock } from './lock.ts';
import { type Pins, pins } from './pins.ts';
import { prepareLibraries, type WantedLibraries } from './prepare-libraries.ts';
import type { OnProgress } from './progress.ts';
import type { CommandContext, Environment } from './run-command.ts';
import { findCompiler } from './tools.ts';
import { tryBuild } from './try-build.ts';

/** Options of {@link installNative}. */
export interface InstallNativeOptions {
  /** Install TensorFlow for CUDA devices, with the CUDA libraries. @defaultValue false */
  readonly gpu?: boolean | undefined;
  /** The folder that holds builds. @defaultValue `nativeFolder()` */
  readonly folder?: string | undefined;
  /** Version of TensorFlow. @defaultValue the one that was tried with this version of multigrad */
  readonly tensorflow?: string | undefined;
  /**
   * A wheel of TensorFlow that was fetched by other means. Python is then needed with `gpu` alone, for the CUDA
   * libraries.
   */
  readonly wheel?: string | undefined;
  /** Build again even if a build is there and up to date. @defaultValue false */
  readonly force?: boolean | undefined;
  /** Called whenever the installation makes progress. */
  readonly onProgress?: OnProgress | undefined;
  /** Stops the installation; the next one goes on after the last step that was completed. */
  readonly signal?: AbortSignal | undefined;
  /** Variables that npm, pip and the compiler see. @defaultValue `process.env` */
  readonly environment?: Environment | undefined;
}

/**
 * Installs native TensorFlow for `useBackend('tensorflow')`: compiles the addon of `@tensorflow/tfjs-node` against the
 * TensorFlow library inside the wheel that Python users install. It needs Linux with glibc, and no root rights.
 *
 * Everything is fetched with the user's own npm and pip as they are configured, and checked against its hash. The build is
 * made in a folder beside the target, which is renamed once the build was loaded without an error.
 *
 * @throws MultigradError `unsupported` when the platform is not covered or a program is missing (it says which), `io`
 * when a download, the compiler or the disk fails, `invalid-data` when a checksum or a wheel's content is not right
 *
 * @example
 * ```ts
 * import { installNative } from '@multigrad/backends/native';
 *
 * try {
 *   const { tensorflow, folder } = await installNative({ wheel: 'fetched-by-hand.whl' });
 *   console.log(tensorflow, folder);
 * } catch (error) {
 *   console.log((error as Error).message); // Cannot read the wheel …: no such file or folder (ENOENT).
 * }
 * ```
 */
export async function installNative(options: InstallNativeOptions = {}): Promise<NativeBuild> {
  return installPinned(pins, options);
}

/** `installNative` with other pins and another way to try the build, for tests. */
export async function installPinned(
  pinned: Pins,
  options: InstallNativeOptions,
  attempt: typeof tryBuild = tryBuild,
): Promise<NativeBuild> {
  const { tensorflow = pinned.tensorflow, wheel, signal } = options;
  signal?.throwIfAborted();
  const { platform, arch } = process;
  const glibc = (process.report.getReport() as Report).header.glibcVersionRuntime;
  const device: NativeDevice = options.gpu === true ? 'gpu' : 'cpu';
  checkPlatform(platform, arch, glibc, device);
  const name = buildName({ tensorflow, device, platform, arch });
  const root = resolve(options.folder ?? nativeFolder());
  const target = join(root, name);
  const present = readBuild(target);
  const sources = await hashOwnSources();
  if (present?.sources === sources && options.force !== true) return present;
  if (wheel !== undefined) await withFiles('read the wheel', wheel, () => stat(wheel));
  await makeFolder(root);
  const work = join(root, `.${name}`);
  const context = { environment: options.environment ?? process.env, folder: work, signal };
  const wanted = { tensorflow, device, arch, pinned: pinned.wheels, wheel };
  const onProgress = options.onProgress ?? ((): void => undefined);
  try {
    return await withLock(`${work}.lock`, new Date(), async () => {
      await makeFolder(work);
      await checkRoom(root, pinned.room[device]);
      const tree = join(work, 'tree');
      const record = await makeTree(wanted, pinned, tree, context, attempt, onProgress);
      await withFiles('write to', root, () => putInPlace(tree, target, work));
      return { ...record, folder: target };
    });
  } catch (error) {
    // If the signal was aborted, this throws its reason in place of the error that followed from it.
    signal?.throwIfAborted();
    throw error;
  }
}

/** Makes a build in the work folder, with the record of what went into it. */
async function makeTree(
  wanted: WantedLibraries,
  { packages }: Pins,
  tree: string,
  context: CommandContext,
  attempt: typeof tryBuild,
  onProgress: OnProgress,
): Promise<NativeBuildRecord> {
  const compiler = await findCompiler(context);
  const wheels = await prepareLibraries(wanted, tree, context, onProgress);
  await fetchPackages(packages, tree, context, onProgress);
  await compileAddon(compiler, tree, context, onProgress);
  onProgress({ step: 'try', subject: 'loading the library', share: null });
  const { tensorflow, gpu } = await attempt(tree, context);
  const { platform, arch } = process;
  const { device } = wanted;
  const fetched = packages.map(({ name, version, integrity }) => ({
    name: `${name}@${version}`,
    hash: integrity,
  }));
  const record: NativeBuildRecord = {
    ...{ format: 1, device, tensorflow, platform, arch, gpu, compiler: compiler.version },
    sources: await hashOwnSources(),
    ingredients: [...fetched, ...wheels],
  };
  await writeFile(join(tree, 'build.json'), `${JSON.stringify(record, null, 2)}\n`);
  return record;
}

async function putInPlace(tree: string, target: string, work: string): Promise<void> {
  // An earlier build is moved away first: a rename cannot replace a folder that is not empty.
  const old = join(work, 'old');
  await rm(old, { recursive: true, force: true });
  await rename(target, old).catch(() => undefined);
  await rename(tree, target);
  await rm(work, { recursive: true, force: true });
}

/** The part of Node's diagnostic report that is read here. */
interface Report {
  readonly header: { readonly glibcVersionRuntime?: string };
}

/**
 * Checks that there are wheels of TensorFlow with a C++ library for a platform and a device.
 *
 * @throws MultigradError `unsupported` where there are none
 */
export function checkPlatform(
  platform: string,
  arch: string,
  glibc: string | undefined,
  device: NativeDevice,
): void {
  const here = `${platform} on ${arch}`;
  if (platform !== 'linux' || !['x64', 'arm64'].includes(arch)) {
    throw new MultigradError(
      'unsupported',
      `Native TensorFlow can be built on linux, x64 and arm64. Found ${here}: install @tensorflow/tfjs-node instead.`,
    );
  }
  if (device === 'gpu' && arch !== 'x64') {
    throw new MultigradError(
      'unsupported',
      `Native TensorFlow for CUDA devices can be built on x64. Found ${here}, for which TensorFlow publishes no library with CUDA.`,
    );
  }
  const [major = 0, minor = 0] = (glibc ?? '').split('.').map(Number);
  if (major < 2 || (major === 2 && minor < 27)) {
    throw new MultigradError(
      'unsupported',
      `The TensorFlow library needs glibc 2.27 or newer. Found ${glibc ?? 'another C library (musl?)'}.`,
    );
  }
}

async function checkRoom(folder: string, needed: number): Promise<void> {
  const free = await freeBytes(folder);
  if (free >= needed) return;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new MultigradError(
    'io',
    `${folder} should have ${gigabytes(needed)} free while TensorFlow is installed. Found ${gigabytes(free)}.`,
  );
}
