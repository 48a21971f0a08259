import { readdirSync, readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import process from 'node:process';

/** The devices on which the TensorFlow of a build can compute: processors alone (`cpu`), or CUDA devices too (`gpu`). */
export type NativeDevice = 'cpu' | 'gpu';

/** A file that went into a build. */
export interface NativeIngredient {
  readonly name: string;
  /** The file's hash as npm or pip writes it: `sha512-…` or `sha256:…`. */
  readonly hash: string;
}

/** The content of `build.json` in a build of native TensorFlow. */
export interface NativeBuildRecord {
  readonly format: 1;
  readonly device: NativeDevice;
  /** Version of the TensorFlow library. */
  readonly tensorflow: string;
  /** The platform, as `process.platform` names it; `arch` is as in `process.arch`. */
  readonly platform: string;
  readonly arch: string;
  /** Whether a GPU answered when the build was tried. */
  readonly gpu: boolean;
  /** First line of the compiler's `--version`. */
  readonly compiler: string;
  /** Hash of multigrad's own sources from which it was compiled. */
  readonly sources: string;
  readonly ingredients: readonly NativeIngredient[];
}

/** A finished build of native TensorFlow, made by `installNative`. */
export interface NativeBuild extends NativeBuildRecord {
  readonly folder: string;
}

/**
 * The folder that holds builds of native TensorFlow: the one that `MULTIGRAD_NATIVE` names, else `multigrad/native` below
 * `XDG_CACHE_HOME`, else below `.cache` of the home folder.
 *
 * @param environment - variables of the environment
 *
 * @example
 * ```ts
 * import { nativeFolder } from '@multigrad/backends/native';
 *
 * console.log(nativeFolder({ XDG_CACHE_HOME: '/var/cache' })); // /var/cache/multigrad/native
 * ```
 */
export function nativeFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const own = environment['MULTIGRAD_NATIVE'];
  if (own !== undefined && own !== '') return resolve(own);
  const cache = environment['XDG_CACHE_HOME'];
  // An empty variable counts as unset, and so does a relative path: the XDG specification says to ignore it.
  const base = cache?.startsWith('/') === true ? cache : join(homeFolder(), '.cache');
  return join(base, 'multigrad', 'native');
}

/** The user's home folder. Where `HOME` is empty or not an absolute path, the one in the system's list of users. */
function homeFolder(): string {
  const home = homedir();
  return isAbsolute(home) ? home : userInfo().homedir;
}

/** The name of a build's folder. */
export function buildName(
  build: Omit<NativeBuildRecord, 'gpu' | 'compiler' | 'ingredients' | 'format' | 'sources'>,
): string {
  return `tensorflow-${build.tensorflow}-${build.device}-${build.platform}-${build.arch}`;
}

/**
 * The finished builds for this platform in a folder, the newest TensorFlow first.
 *
 * @param folder - the folder that holds builds; see `nativeFolder`
 *
 * @example
 * ```ts
 * import { findNativeBuilds } from '@multigrad/backends/native';
 *
 * for (const { tensorflow, device, folder } of findNativeBuilds()) console.log(tensorflow, device, folder);
 * ```
 */
export function findNativeBuilds(folder: string = nativeFolder()): NativeBuild[] {
  return namesIn(folder)
    .flatMap((name) => {
      const build = readBuild(join(folder, name));
      return build === null ? [] : [build];
    })
    .filter(({ platform, arch }) => platform === process.platform && arch === process.arch)
    .sort((a, b) => compareVersions(b.tensorflow, a.tensorflow));
}

/** The build in a folder; null where there is none that this version of multigrad understands. */
export function readBuild(folder: string): NativeBuild | null {
  let text: string;
  try {
    text = readFileSync(join(folder, 'build.json'), 'utf8');
  } catch {
    return null;
  }
  try {
    const record = JSON.parse(text) as NativeBuildRecord;
    return (record.format as number) === 1 ? { ...record, folder: resolve(folder) } : null;
  } catch {
    return null;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.startsWith('tensorflow-'));
  } catch {
    return [];
  }
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
